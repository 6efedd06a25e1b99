import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createEngine, Refusal } from '../../src/engine/index.js';
import { executable } from '../support/fake-bpftrace.js';
import { BPFTRACE, MAIN, ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';
import { withEngine } from '../support/with-engine.js';

const BOUND = { boundMs: 30_000 };
const MIB = 2 ** 20;
const mib = (bytes: number): number => Math.round(bytes / MIB);
const FLOODS = 6;
const LINE_BYTES = 900;
/** What V8 has not taken back yet. */
const UNCOLLECTED_BYTES = 64 * MIB;
const COUNT = 'interval:ms:50 { @n = count(); }';

describe('bounds', () => {
  test('a program that prints too much for too long is ended with its maps, and says so', () =>
    withEngine({ floodBytesPerS: 10_000, floodS: 1 }, async engine => {
      const me = engine.as('me');
      const id = me.submit({
        program: `interval:ms:1 { @n = count(); printf("%d ${'x'.repeat(60)}\\n", nsecs); }`,
        deadlineMs: 30_000,
      });
      await me.untilEnded(id, BOUND);
      const { status, ended_by, error_message, maps, lines_total, duration } = me.result(id);
      assert.deepEqual([status, ended_by], ['stopped', 'flood']);
      assert.match(
        error_message ?? '',
        /^it printed more than 10000 bytes a second for 1 s, so the server ended it/,
      );
      assert.equal(maps[0]?.name, '@n');
      assert.ok(lines_total > 10 && duration < 30, `${lines_total} lines in ${duration} s`);
    }));

  test('the same much in bursts is no flood, and 0 is no bound', async () => {
    const bursts = `interval:s:2 { unroll(5) { printf("%d ${'x'.repeat(60)}\\n", nsecs); } }`;
    const all = `interval:ms:1 { printf("%d ${'x'.repeat(60)}\\n", nsecs); }`;
    for (const [floodBytesPerS, program] of [
      [100, bursts],
      [0, all],
    ] as const) {
      await withEngine({ floodBytesPerS, floodS: 1 }, async engine => {
        const me = engine.as('me');
        const id = me.submit({ program, deadlineMs: 2500 });
        await me.untilEnded(id, BOUND);
        assert.equal(me.result(id).ended_by, 'deadline');
      });
    }
  });

  test('a client has so many open and no more; another one is not kept from anything', () =>
    withEngine({ maxOpenPerClient: 2, concurrency: 1 }, async engine => {
      const [me, you] = [engine.as('me'), engine.as('you')];
      const ids = [me.submit({ program: COUNT }), me.submit({ program: COUNT })];
      const isBusy = (error: unknown): boolean =>
        error instanceof Refusal &&
        error.code === 'busy' &&
        /2 of your programs run or wait/.test(error.message);
      assert.throws(() => me.submit({ program: COUNT }), isBusy);
      you.stop(you.submit({ program: COUNT }));
      me.stop(ids[1] ?? '');
      await me.untilEnded(ids[1] ?? '', BOUND);
      me.submit({ program: COUNT });
    }));

  test('a bound on probes is told to bpftrace, over the environment and what the program says', async () => {
    const told = executable(
      '#!/bin/sh\nprintf \'{"type": "printf", "data": "%s %s\\\\n"}\\n\' "$BPFTRACE_MAX_PROBES" "$BPFTRACE_MAX_BPF_PROGS"\n',
    );
    await withEngine({ bpftrace: told, maxProbes: 7 }, async engine => {
      const me = engine.as('me');
      const id = me.submit({ program: COUNT });
      await me.untilEnded(id, BOUND);
      assert.deepEqual(me.result(id).output, ['7 7']);
    });
    await withEngine({ maxProbes: 7 }, async engine => {
      const me = engine.as('me');
      const id = me.submit({ program: 'tracepoint:syscalls:sys_enter_* { @ = count(); }' });
      await me.untilEnded(id, BOUND);
      const { status, diagnostics } = me.result(id);
      assert.equal(status, 'failed');
      assert.equal(diagnostics[0]?.code, 'too_many_probes', JSON.stringify(diagnostics));
    });
  });

  test('a machine in distress: what runs is ended with its maps, new programs are refused, bpf_info says why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-load-'));
    const loadavg = join(folder, 'loadavg');
    const calm = '0.10 0.10 0.10 1/100 4711\n';
    writeFileSync(loadavg, calm);
    // The server sees a load average of ours, in a mount namespace of its own.
    const wrapper = join(folder, 'node');
    writeFileSync(
      wrapper,
      `#!/bin/sh\nexec unshare -m --propagation private sh -c 'mount --bind ${loadavg} /proc/loadavg && exec "$@"' sh ${process.execPath} "$@"\n`,
      { mode: 0o755 },
    );
    const server = await ServerUnderTest.start(['--host-guard', 'load:10'], { node: wrapper, main: MAIN });
    try {
      const { execution_id } = await server.result('exec_program', { program: COUNT, timeout: 50 });
      writeFileSync(loadavg, '9999.00 0.10 0.10 1/100 4711\n');
      const ended = await until('it is ended', 30_000, async () => {
        const result = await server.result('get_result', { execution_id, wait: 1 });
        return result.ended_by && result;
      });
      assert.deepEqual([ended.status, ended.ended_by], ['stopped', 'distress']);
      assert.match(
        ended.error_message ?? '',
        /^the machine is in distress: the load average is \d+(\.\d+)? for each processor/,
      );
      assert.equal(ended.maps[0]?.name, '@n');
      const refused = await server.call('exec_program', { program: COUNT });
      assert.match(refused.text, /^host_distress: the machine is in distress: the load average is/);
      assert.match(
        (await server.call('bpf_info')).text,
        /host guard: load \d.*IN DISTRESS: the load average/,
      );
      writeFileSync(loadavg, calm);
      await until('the machine is well again', 10_000, async () => {
        return !(await server.call('exec_program', { program: 'BEGIN { exit(); }', wait: 10 })).isError;
      });
    } finally {
      await server.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('floods leave no more in memory than bpf_info says', async t => {
    let printed = 0;
    const engine = createEngine(
      { bpftrace: BPFTRACE, concurrency: 2, maxOutputBytes: 4 * MIB, maxResultsBytes: MIB, queueLimit: 20 },
      { onEnd: ({ lines }) => (printed += lines * LINE_BYTES) },
    );
    try {
      const me = engine.as('me');
      const { memory } = await me.info();
      assert.equal(memory.held_bytes_max, memory.results + memory.running + memory.programs);
      const begun = process.memoryUsage().arrayBuffers;
      const line = `printf("%d ${'x'.repeat(LINE_BYTES)}\\n", nsecs);`;
      const program = `interval:us:200 { unroll(9) { ${line} } } interval:ms:700 { exit(); }`;
      for (let i = 0; i < FLOODS; i++) me.submit({ program, share: 'never' });
      let most = 0;
      await until('all have ended', 120_000, () => {
        const { running, queued, finishedBytes } = engine.state;
        assert.ok(finishedBytes <= memory.results, `${finishedBytes} of ${memory.results}`);
        most = Math.max(most, process.memoryUsage().arrayBuffers - begun);
        return running + queued === 0;
      });
      t.diagnostic(
        `${mib(printed)} MiB printed, ${mib(most)} more held, bound ${mib(memory.held_bytes_max)}`,
      );
      assert.ok(printed > memory.held_bytes_max, 'the floods were floods');
      assert.ok(most < memory.held_bytes_max + UNCOLLECTED_BYTES, `${mib(most)} MiB`);
    } finally {
      await engine.close({ hurry: true });
    }
  });
});
