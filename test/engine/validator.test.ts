import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { compileMethod } from '../../src/bpftrace/compile-method.js';
import {
  type ClientView,
  createEngine,
  type Refusal,
  type TraceEngine,
  type Validation,
} from '../../src/engine/index.js';
import { shell } from '../support/fake-bpftrace.js';
import { installedVersion } from '../support/installed.js';
import { descendantsOf } from '../support/processes.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';

const NEVER = new AbortController().signal;
/** Neither ends by itself: whoever runs one waits for ever. */
const ENDLESS =
  'BEGIN { printf("ran\\n"); @x = 1; } interval:ms:1 { printf("ran\\n"); } END { printf("ran\\n"); }';

describe('a program is judged without being run', () => {
  let engine: TraceEngine;
  let me: ClientView;
  let hasKprobes: boolean;
  before(() => {
    engine = createEngine({ bpftrace: BPFTRACE, policy: 'full' });
    me = engine.as('me');
    hasKprobes = execFileSync(BPFTRACE, ['-l', 'kprobe:vfs_read'], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).includes('vfs_read');
  });
  after(() => engine.close());

  test('what compiles it prints nothing of what it would print, and ends', () => {
    const method = compileMethod(installedVersion());
    assert.ok(method);
    const run = spawnSync(BPFTRACE, method.args, { input: ENDLESS, encoding: 'utf8', timeout: 20_000 });
    assert.deepEqual([run.status, run.stdout.includes('ran')], [0, false], run.stdout + run.stderr);
  });

  test('an iterator is not called invalid where it runs, nor valid where it does not', async () => {
    const program = 'iter:task { printf("%d\\n", ctx->task->pid); }';
    const { valid } = await me.validate(program, NEVER);
    const id = me.submit({ program });
    await me.untilEnded(id, { boundMs: 30_000 });
    const runs = me.result(id).status === 'completed';
    assert.notEqual(valid, !runs, `valid: ${valid}, runs: ${runs}`);
  });

  interface Case {
    program: string;
    valid: boolean | null | 'with kprobes';
    total?: number | null;
    line?: number;
  }
  const CASES: readonly Case[] = [
    { program: ENDLESS, valid: true, total: 3 },
    {
      program: 'tracepoint:syscalls:sys_enter_openat, tracepoint:syscalls:sys_exit_openat { @ = count(); }',
      valid: true,
      total: 2,
    },
    { program: 'tracepoint:sched:sched_process_* { @ = count(); }', valid: true },
    { program: '// only a comment', valid: false },
    { program: 'interval:s:1 {\n  @ = nosuch(1);\n}', valid: false, total: null, line: 2 },
    { program: 'interval:s:1 { @ = count()', valid: false, total: null, line: 1 },
    { program: 'tracepoint:sched:no_such { @ = count(); }', valid: false, total: null, line: 1 },
    { program: 'uprobe:/bin/sh:no_such_function { @ = count(); }', valid: false },
    { program: 'kprobe:no_such_function* { @ = count(); }', valid: false },
    { program: 'kprobe:vfs_read { @ = count(); }', valid: 'with kprobes' },
    { program: 'hardware:cycles:1000000 { @ = count(); }', valid: null, total: null },
  ];
  for (const { program, valid, total, line } of CASES) {
    test(program.replaceAll('\n', '\\n'), async t => {
      const begun = performance.now();
      const result: Validation = await me.validate(program, NEVER);
      t.diagnostic(`${Math.round(performance.now() - begun)} ms: ${result.reason ?? 'valid'}`);
      assert.equal(result.valid, valid === 'with kprobes' ? hasKprobes : valid, JSON.stringify(result));
      if (total !== undefined) assert.equal(result.probes_total, total, JSON.stringify(result));
      if (line !== undefined) assert.equal(result.diagnostics[0]?.line, line, JSON.stringify(result));
      assert.equal(typeof result.reason, result.valid === true ? 'undefined' : 'string');
    });
  }

  test('a pattern: how many it means, and some of them', async () => {
    const { probes, probes_total } = await me.validate(
      'tracepoint:syscalls:sys_enter_* { @ = count(); }',
      NEVER,
    );
    assert.ok((probes_total ?? 0) > 100);
    assert.equal(probes[0]?.probes, probes_total);
    assert.ok(probes[0]?.names?.every(name => name.startsWith('tracepoint:syscalls:sys_enter_')));
  });

  test('what may not be submitted is not compiled either', async () => {
    for (const program of ['', ' \n', 'BEGIN { }\0', 'x'.repeat(100_000)]) {
      await assert.rejects(
        me.validate(program, NEVER),
        (error: Refusal) => error.code === 'invalid_argument',
      );
    }
    const strict = createEngine({ bpftrace: BPFTRACE, policy: 'observe' });
    // Its lines would stand in bpftrace's words.
    await assert.rejects(
      strict.as('me').validate('#include "/etc/shadow"\nBEGIN { }', NEVER),
      (error: Refusal) => error.code === 'policy_denied',
    );
    await strict.close();
  });

  test('nobody waits any more: it is given up at once', async () => {
    const atOnce = new AbortController();
    const unread = me.validate('tracepoint:syscalls:sys_* { @[kstack] = count(); }', atOnce.signal);
    atOnce.abort();
    assert.equal((await unread).reason, 'nobody waited for it any longer');
    // One that never ends, since how long the real one takes is not ours to say.
    const endless = shell(
      'if [ "$1" = --version ]; then echo "bpftrace v0.17.0"; exit; fi',
      'exec sleep 1000',
    );
    const other = createEngine({ bpftrace: endless });
    const later = new AbortController();
    const compiling = other.as('me').validate('BEGIN { }', later.signal);
    await until('it compiles', 10_000, () => descendantsOf(process.pid).length > 0);
    later.abort();
    assert.equal((await compiling).reason, 'nobody waited for it any longer');
    await other.close();
    await until('nothing of it is left', 5000, () => descendantsOf(process.pid).length === 0);
  });

  test('a bpftrace that has no way to compile without running, and one of no known version: could not tell', async () => {
    const cases = [
      ['0.16.0', 'echo never'],
      ['0.25.0', 'echo "bpftrace: unrecognized option \'--mode\'" >&2; exit 1'],
      ['unknown', 'echo never'],
    ];
    for (const [version, run] of cases) {
      const fake = shell(`if [ "$1" = --version ]; then echo 'bpftrace v${version}'; exit; fi`, run ?? '');
      const other = createEngine({ bpftrace: fake });
      const { valid, probes, reason } = await other.as('me').validate('BEGIN { }', NEVER);
      assert.deepEqual([valid, probes], [null, []], reason);
      await other.close();
    }
  });
});
