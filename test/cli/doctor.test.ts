import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type Check, inspectHost } from '../../src/bpftrace/checks.js';
import { doctor } from '../../src/cli/doctor.js';
import { findExecutable } from '../../src/privilege/executable.js';
import { HELPER_PATH } from '../../src/privilege/helper/place.js';

async function run(options: { bpftracePath?: string; fix?: boolean; json?: boolean; tty?: boolean }) {
  const out = Object.assign(new PassThrough(), { isTTY: options.tty === true });
  const { bpftracePath = 'bpftrace', fix = false, json = false } = options;
  const code = await doctor({ bpftracePath, fix, json, out });
  out.end();
  return { code, printed: await text(out) };
}

const healthy = (checks: readonly Check[]) =>
  checks.every(check => !check.required || check.answer === 'yes');

describe('doctor', () => {
  test('one aligned line a check, an action under each that is not ok, a summary; the code says the same', async () => {
    const checks = (await inspectHost({ bpftracePath: 'bpftrace' })).checks;
    const { code, printed } = await run({});
    assert.equal(code, healthy(checks) ? 0 : 1);
    const [body = '', summary = ''] = printed.trimEnd().split('\n\n');
    const lines = body.split('\n').filter(line => !line.startsWith('      -> '));
    assert.equal(lines.length, checks.length);
    const nameWidth = Math.max(...checks.map(check => check.name.length));
    for (const [index, line] of lines.entries()) {
      assert.match(line, /^(ok|NO|\?\?) {2}\w/);
      assert.equal(line.slice(4, 4 + nameWidth).trimEnd(), checks[index]?.name);
      assert.match(line.slice(4 + nameWidth), /^ {2}\S/);
    }
    assert.equal(
      body.split('\n').length - lines.length,
      checks.filter(check => check.answer !== 'yes').length,
    );
    assert.match(summary, /^Linux \S+ \S+; /);
    assert.equal(summary.includes('tracing works'), code === 0);
    assert.ok(!printed.includes('\x1b'), 'no colour where no terminal is');
  });

  test('no bpftrace: exit code 1 and the way out', async () => {
    const { code, printed } = await run({ bpftracePath: '/nowhere/bpftrace' });
    assert.equal(code, 1);
    assert.match(printed, /^NO {2}bpftrace +no executable at \/nowhere\/bpftrace\n {6}-> correct the path/);
    assert.match(printed, /the server cannot work without: bpftrace, .*traces/);
  });

  test('--json prints the checks and nothing else', async () => {
    const { code, printed } = await run({ bpftracePath: '/nowhere/bpftrace', json: true });
    const parsed = JSON.parse(printed);
    assert.equal(code, 1);
    assert.equal(parsed.ok, false);
    assert.equal(parsed.checks[0].name, 'bpftrace');
    assert.equal(parsed.checks[0].answer, 'no');
    assert.equal(parsed.checks[0].required, true);
    assert.equal(parsed.steps, undefined);
  });

  test('colour on a terminal only, and not with NO_COLOR', async t => {
    const { NO_COLOR } = process.env;
    t.after(() => {
      if (NO_COLOR === undefined) delete process.env.NO_COLOR;
      else process.env.NO_COLOR = NO_COLOR;
    });
    delete process.env.NO_COLOR;
    const { printed } = await run({ bpftracePath: '/nowhere', tty: true });
    assert.ok(printed.startsWith('\x1b[31mNO\x1b[0m  bpftrace '), printed);
    process.env.NO_COLOR = '1';
    assert.ok(!(await run({ bpftracePath: '/nowhere', tty: true })).printed.includes('\x1b'));
  });
});

/**
 * The rest runs in mount namespaces of its own, where file systems can be taken away and files covered
 * without anybody else noticing.
 */
const bpftrace = findExecutable('bpftrace', process.env);
const whyNot = whyNoNamespace();

function whyNoNamespace(): string | false {
  if (process.geteuid?.() !== 0) return 'needs root';
  if (bpftrace === undefined) return 'needs bpftrace';
  if (spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status !== 0) {
    return 'needs the right to mount in a namespace of its own';
  }
  return false;
}

describe('doctor --fix', { skip: whyNot }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-doctor-'));
    // Read by other users in some tests.
    chmodSync(folder, 0o755);
    writeFileSync(
      join(folder, 'doctor.mjs'),
      `const { doctor } = await import(${JSON.stringify(new URL('../../src/cli/doctor.js', import.meta.url).href)});
const [bpftracePath, ...flags] = process.argv.slice(2);
const [fix, json] = [flags.includes('--fix'), flags.includes('--json')];
process.exitCode = await doctor({ bpftracePath, fix, json, out: process.stdout });
`,
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  const doctorCommand = (...args: string[]) => `'${process.execPath}' ${folder}/doctor.mjs ${args.join(' ')}`;
  const UNMOUNT =
    'umount -a -t tracefs,debugfs; ! grep -q " /sys/kernel/tracing tracefs" /proc/mounts || exit 99';
  const AS_NOBODY = 'setpriv --reuid 65534 --regid 65534 --clear-groups';

  function inNamespace(script: string, env: NodeJS.ProcessEnv = process.env) {
    const result = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script], {
      encoding: 'utf8',
      timeout: 60_000,
      env,
    });
    assert.notEqual(result.status, 99, 'the namespace could not be prepared');
    return { code: result.status, printed: result.stdout, stderr: result.stderr };
  }

  /** Splits what several doctors printed, each followed by `echo "code $?"`. */
  const runsIn = (printed: string) =>
    Array.from(printed.matchAll(/([\s\S]*?)^code (\d+)\n/gm), match => ({
      printed: match[1] ?? '',
      code: Number(match[2]),
    }));

  test('nothing mounted: says what it does, mounts, and has nothing left to do', () => {
    const once = (...flags: string[]) => `${doctorCommand('bpftrace', ...flags)}; echo "code $?"`;
    const script = `${UNMOUNT}\n${once()}\n${once('--fix')}\ngrep -c " /sys/kernel/tracing tracefs" /proc/mounts
${once('--fix')}`;
    const [sick, fixed, again] = runsIn(inNamespace(script).printed);
    assert.equal(sick?.code, 1);
    assert.match(sick?.printed ?? '', /^NO {2}tracefs +not mounted\n {6}-> mount -t tracefs tracefs/m);

    assert.equal(fixed?.code, 0, fixed?.printed);
    assert.match(
      fixed?.printed ?? '',
      /^This is going to be run:\n {2}1\. mount -t tracefs tracefs .*\n {5}for tracefs: /,
    );
    assert.match(
      fixed?.printed ?? '',
      /^\[1\/2\] mount -t tracefs .*\n {4}worked\n\[2\/2\] mount -t debugfs .*\n {4}worked$/m,
    );
    assert.match(fixed?.printed ?? '', /^ok {2}tracefs /m);
    assert.match(fixed?.printed ?? '', /^ok {2}debugfs /m);

    assert.match(again?.printed ?? '', /^1\nNothing to fix/);
    assert.equal(again?.code, 0);
  });

  test('--json: the same as data', () => {
    const { code, printed } = inNamespace(`${UNMOUNT}\n${doctorCommand('bpftrace', '--fix', '--json')}`);
    const parsed = JSON.parse(printed);
    assert.equal(code, 0);
    assert.equal(parsed.ok, true);
    assert.deepEqual(
      parsed.steps.map((step: { fixes: string; ran: boolean; worked: boolean }) => [
        step.fixes,
        step.ran,
        step.worked,
      ]),
      [
        ['tracefs', true, true],
        ['debugfs', true, true],
      ],
    );
  });

  test('a step that fails: its status, the others all the same, exit code 1', () => {
    // Root without CAP_SYS_ADMIN, which mount(2) wants.
    const caps = 'setpriv --bounding-set -sys_admin --inh-caps -sys_admin --';
    const { code, printed } = inNamespace(`${UNMOUNT}\n${caps} ${doctorCommand('bpftrace', '--fix')}`);
    assert.equal(code, 1);
    assert.match(printed, /^\[1\/2\] .*\n {4}\| mount: .*\n(.*\n)*? {4}FAILED: exit status \d+\n\[2\/2\] /m);
    assert.match(printed, /^NO {2}tracefs /m);
  });

  test('bpftrace is missing: installed by the package manager, update failure or not', () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    // Stands before the real one on PATH; no test installs packages on the machine it runs on.
    writeFileSync(
      join(bin, 'apt-get'),
      `#!/bin/sh
echo "apt-get $*, $DEBIAN_FRONTEND"
[ "$1" = update ] && { echo "no network" >&2; exit 100; }
cp ${folder}/real ${bin}/bpftrace
`,
    );
    chmodSync(join(bin, 'apt-get'), 0o755);
    const hide = `cp ${bpftrace} ${folder}/real && touch ${folder}/empty && mount --bind ${folder}/empty ${bpftrace} || exit 99`;
    const { code, printed } = inNamespace(`${hide}\n${doctorCommand('bpftrace', '--fix')}`, {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      DEBIAN_FRONTEND: 'dialog',
    });
    assert.match(printed, /^\[1\/2\] apt-get update\n(.*\n){2} {4}FAILED: exit status 100$/m);
    assert.match(printed, /^ {4}\| no network$/m);
    assert.match(
      printed,
      /^ {4}\| apt-get install -y --no-install-recommends bpftrace, noninteractive\n {4}worked$/m,
    );
    assert.match(printed, new RegExp(`^ok  bpftrace .* at ${bin}/bpftrace`, 'm'));
    assert.equal(code, 0, printed);
  });

  /** Covers the machine's sudo rules, in the namespace alone. */
  function withSudoers(rule: string): string {
    const sudoers = join(folder, 'sudoers');
    writeFileSync(sudoers, `${rule}\n`, { mode: 0o440 });
    return `mount --bind ${sudoers} /etc/sudoers || exit 99`;
  }
  const readable = () =>
    spawnSync('sh', ['-c', `${AS_NOBODY} ${doctorCommand('/nowhere')}`], {
      encoding: 'utf8',
    }).stdout.includes('NO');
  const noSudo = () => !findExecutable('sudo', process.env) && 'needs sudo';

  test('not root, no sudo without a password: prints the commands, runs none, exit code 1', t => {
    if (!readable()) return t.skip('other users cannot read this checkout');
    const script = `${withSudoers('# none')}\n${UNMOUNT}\n${AS_NOBODY} ${doctorCommand('bpftrace', '--fix')}
echo "code $?"; grep -c " /sys/kernel/tracing tracefs" /proc/mounts`;
    const { printed } = inNamespace(script);
    assert.match(
      printed,
      /Please run these yourself:\n {2}1\. sudo mount -t tracefs tracefs \/sys\/kernel\/tracing\n/,
    );
    assert.match(printed, /^NO {2}privileges +uid 65534, no sudo without a password$/m);
    assert.match(printed, /^code 1\n0$/m);
  });

  test('not root, sudo without a password: fixes and traces through it', t => {
    const reason = noSudo();
    if (reason) return t.skip(reason);
    if (!readable()) return t.skip('other users cannot read this checkout');
    const script = `${withSudoers(`nobody ALL=(root) NOPASSWD: ALL, !${HELPER_PATH}`)}\n${UNMOUNT}\n${AS_NOBODY} ${doctorCommand('bpftrace', '--fix')}`;
    const { code, printed } = inNamespace(script);
    assert.match(printed, /^\[1\/2\] \S*sudo -n mount -t tracefs .*\n {4}worked$/m);
    assert.match(printed, /^ok {2}privileges +uid 65534, sudo without a password$/m);
    assert.match(printed, /^ok {2}traces /m);
    assert.equal(code, 0, printed);
  });
});
