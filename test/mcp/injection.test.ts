import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findExecutable } from '../../src/privilege/executable.js';
import { BPFTRACE, ServerUnderTest } from '../support/server.js';

/**
 * Nothing that a caller writes becomes an option, a path, a variable or a word of a shell: a bpftrace that notes
 * how it was started stands in front of the real one, under the policy that judges nothing.
 */
const folder = mkdtempSync(join(tmpdir(), 'injection-'));
const log = join(folder, 'log');
const canary = join(folder, 'canary');
const WRAPPER = `#!/bin/sh
words=
for word; do words="$words<$word>"; done
# One write a line: several are started at once.
{ printf '%s\\n' "$words"; tr '\\0' '\\n' < /proc/self/environ | sed 's/^/env /'; } >> ${log}
exec ${findExecutable(BPFTRACE, process.env)} "$@"
`;

const HOSTILE: readonly string[] = [
  '--info',
  '--help',
  '-V',
  '--unsafe',
  `-o ${canary}`,
  `-o${canary}`,
  `--emit-elf ${canary}`,
  `--emit-elf=${canary}`,
  `--emit-llvm ${canary}`,
  `-c 'touch ${canary}'`,
  '-c id',
  '-p 1',
  '-e BEGIN{exit()}',
  '-I /root',
  '--include /etc/shadow',
  '-d',
  '--fmt',
  '--',
  '-',
  '/etc/shadow',
  `${folder}/wrapper`,
  '../../../etc/shadow',
  `; touch ${canary}`,
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `| touch ${canary}`,
  `&& touch ${canary}`,
  `' ; touch ${canary} ; '`,
  `" ; touch ${canary} ; "`,
  `\n touch ${canary}\n`,
  `x\n-o\n${canary}`,
  `tracepoint:*\0-o\0${canary}`,
  '--info\0',
  'BPFTRACE_MAX_MAP_KEYS=1',
  'LD_PRELOAD=/tmp/x.so',
  '$PATH',
  '~root',
  '%s%n%x',
  '\u001b]0;title\u0007\u001b[2J',
  '\u202e--info',
  '__proto__',
  'constructor',
  `uprobe:/bin/sh -o ${canary}:*`,
  `uprobe:-o${canary}:*`,
  'uprobe:--info:*',
  `uprobe:/bin/sh,BEGIN { system("touch ${canary}") }:x`,
  `uprobe:"/bin/sh":* { system("touch ${canary}") }`,
  'struct task_struct --info',
  `struct x' -o ${canary} '`,
  'struct -V',
];

/** Each argument of a tool that is text. */
const PLACES: readonly [tool: string, argument: string, others?: Record<string, unknown>][] = [
  ['list_probes', 'filter'],
  ['list_probes', 'filter', { details: true }],
  ['list_probes', 'cursor'],
  ['list_helpers', 'filter'],
  ['exec_program', 'program', { timeout: 0.1, wait: 10 }],
  ['validate_program', 'program'],
  ['get_result', 'execution_id'],
  ['get_result', 'match', { execution_id: '0'.repeat(40) }],
  ['stop_program', 'execution_id'],
  ['list_executions', 'status'],
];

/** Every way that the server starts bpftrace; the one path is that of an existing binary. */
const STARTS: readonly RegExp[] = [
  /^<-f><json><->$/,
  /^<-l>(?:<uprobe:[^\s<>{}"']+:\*>|<usdt:[^\s<>{}"']+:\*>)?$/,
  /^<-lv?>(?:<(?:struct|union|enum) \w+>|<[\w:*.-]+(?:,[\w:*.-]+)*>)$/,
  /^<(?:--version|--info|-V|--help)>$/,
  // Compiling without running, by version.
  /^(?:<-f><json>)?(?:<--emit-elf><\/dev\/null>|<--mode><codegen>)<->$/,
  /^<-d>(?:<ast>)?<->$/,
];
const VARIABLES: ReadonlySet<string> = new Set([
  'PATH',
  'LANG',
  'GLIBC_TUNABLES',
  'PWD',
  'SHLVL',
  '_',
  'OLDPWD',
]);

describe('injection', () => {
  let server: ServerUnderTest;
  before(async () => {
    writeFileSync(join(folder, 'wrapper'), WRAPPER, { mode: 0o755 });
    server = await ServerUnderTest.start(['--policy', 'full', '--bpftrace', join(folder, 'wrapper')], {
      env: { BPFTRACE_PASSWD: 'the-password', LD_BIND_NOW: '1', BASH_ENV: '/x', IFS: ' ', HOME: '/root' },
    });
  });
  after(() => {
    server.process.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  for (const [tool, argument, others] of PLACES) {
    const extra = others ? ` with ${Object.keys(others)}` : '';
    test(`${HOSTILE.length} hostile strings as ${argument} of ${tool}${extra} do nothing`, async () => {
      const call = async (text: string): Promise<void> => {
        const { text: answer } = await server.call(tool, { ...others, [argument]: text });
        assert.doesNotMatch(answer, /^USAGE|uid=0|root:.*:0:|the-password|^internal:/m, JSON.stringify(text));
      };
      await Promise.all(HOSTILE.map(call));
      assert.equal(existsSync(canary), false);
    });
  }

  test('bpftrace was started in known ways only, with nothing of theirs, and a scrubbed environment', async () => {
    const { isError } = await server.call('exec_program', { program: 'BEGIN { exit(); }', wait: 20 });
    assert.equal(isError, false);
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    const starts = [...new Set(lines.filter(line => !line.startsWith('env ')))];
    const unknown = starts.filter(start => !STARTS.some(pattern => pattern.test(start)));
    assert.deepEqual(unknown, []);
    const variables = lines.flatMap(line => /^env (\w+)=/.exec(line)?.[1] ?? []);
    assert.deepEqual(
      [...new Set(variables)].filter(name => !VARIABLES.has(name)),
      [],
    );
    await server.close();
  });
});
