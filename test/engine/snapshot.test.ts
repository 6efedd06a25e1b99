import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast, type BpftraceVersion } from '../../src/bpftrace/version.js';
import { type ClientView, createEngine, type Result, type TraceEngine } from '../../src/engine/index.js';
import { installedVersion } from '../support/installed.js';
import { bpftracesOf } from '../support/processes.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';

const BOUND = { boundMs: 30_000 };
const COUNTS = 'interval:ms:20 { @n = count(); @by[comm] = count(); } // and a comment at the end';

describe('snapshots of a running program', () => {
  let engine: TraceEngine;
  let me: ClientView;
  let version: BpftraceVersion;
  before(() => {
    engine = createEngine({ bpftrace: BPFTRACE, concurrency: 2, policy: 'full' });
    me = engine.as('me');
    version = installedVersion();
  });
  after(() => engine.close());

  const started = async (program: string): Promise<string> => {
    const id = me.submit({ program, deadlineMs: 50_000 });
    await me.untilSettled(id, BOUND);
    assert.equal(me.result(id).status, 'running', JSON.stringify(me.result(id)));
    return id;
  };
  const finish = async (id: string): Promise<Result> => {
    me.stop(id);
    await me.untilEnded(id, BOUND);
    return me.result(id, { limit: 1000 });
  };
  const numberIn = (result: Result, name: string): number => {
    return Number(result.maps.find(map => map.name === name)?.value ?? Number.NaN);
  };
  const snapshot = async (id: string): Promise<Result> => {
    assert.equal(await me.snapshot(id, BOUND), undefined);
    return me.result(id);
  };

  test('of a bpftrace that was stopped there is none, in place of one without maps; and again when it goes on', async () => {
    const before = new Set(bpftracesOf(process.pid).map(({ pid }) => pid));
    const id = await started(COUNTS);
    const [pid] = bpftracesOf(process.pid)
      .map(one => one.pid)
      .filter(one => !before.has(one));
    assert.ok(pid);
    process.kill(pid, 'SIGSTOP');
    try {
      assert.match((await me.snapshot(id, BOUND)) ?? 'there is one', /busy/);
      assert.equal(me.result(id).snapshot_at, undefined);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    assert.ok(numberIn(await snapshot(id), '@n') > 0);
    assert.ok(numberIn(await finish(id), '@n') > 0);
  });

  test('the maps as they are, again and again; they are no lines, and those at the end are the last', async () => {
    const id = await started(COUNTS);
    let last = { at: 0, n: 0 };
    for (let i = 0; i < 4; i++) {
      await sleep(50); // Some ticks, so that there is something new.
      const result = await snapshot(id);
      const now = { at: result.snapshot_at ?? Number.NaN, n: numberIn(result, '@n') };
      assert.ok(now.at > last.at && now.at <= result.duration, JSON.stringify(result));
      assert.ok(now.n > last.n, JSON.stringify(result));
      last = now;
    }
    const end = await finish(id);
    assert.ok(numberIn(end, '@n') >= last.n);
    assert.deepEqual(
      [end.snapshot_at, end.lines_total, end.attached_probes, end.maps.length],
      [undefined, 0, 1, 2],
    );
  });

  test('what the program prints of its maps stays its output, and all of it', async () => {
    const id = await started('interval:ms:20 { @n = count(); @m = count(); print(@n); printf("tick\\n"); }');
    for (let i = 0; i < 5; i++) await snapshot(id);
    const { output, maps } = await finish(id);
    const ticks = output.filter(line => line === 'tick').length;
    const printed = output.filter(line => /^@n: \d+$/.test(line)).length;
    assert.equal(output.length, ticks + printed, output.join('\n'));
    // The last one before the end may be held, or have been lost with what bpftrace does not drain.
    assert.ok(ticks > 5 && Math.abs(ticks - printed) <= 1, `${ticks} ticks, ${printed} maps`);
    assert.ok(maps.every(({ value }) => Number(value) >= ticks));
  });

  test('who asks at once shares one', async () => {
    const id = await started(COUNTS);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await snapshot(id)).snapshot_at),
    );
    assert.ok(new Set(answers).size <= 2, answers.join(' '));
    await finish(id);
  });

  test('an end in the middle of a snapshot loses no map', async () => {
    for (let afterMs = 0; afterMs < 120; afterMs += 12) {
      const id = await started(
        'interval:ms:1 { @n = count(); @by[comm] = count(); printf("line %d\\n", nsecs); }',
      );
      const asked = me.snapshot(id, BOUND);
      await sleep(afterMs);
      const end = await finish(id);
      assert.ok(
        numberIn(end, '@n') >= 1 && end.maps.length === 2,
        `${afterMs} ms: ${JSON.stringify(end.maps)}`,
      );
      assert.equal(end.snapshot_at, undefined);
      assert.ok(
        end.output.every(line => /^line -?\d+$/.test(line)),
        end.output.join('\n'),
      );
      assert.equal(await asked, undefined);
    }
  });

  test('a map of many keys, and one that is empty', async () => {
    const id = await started(
      'interval:ms:1 { @many[nsecs] = count(); } interval:s:1000 { @never[pid] = hist(pid); }',
    );
    await until('it has some hundred keys', 20_000, async () => {
      const { maps } = await snapshot(id);
      assert.deepEqual(
        maps.filter(({ name }) => name !== '@many'),
        [],
      );
      return (maps[0]?.entries_total ?? 0) > 200;
    });
    await finish(id);
  });

  test('where there is none, why; the result is there all the same', async () => {
    const silent = await started('interval:ms:20 { printf("tick\\n"); }');
    assert.equal(await me.snapshot(silent, BOUND), 'the program has no maps');
    const running = await started(COUNTS);
    const queued = me.submit({ program: COUNTS });
    assert.equal(await me.snapshot(queued, { boundMs: 10 }), 'it is not attached yet');
    await finish(queued);
    await finish(running);
    assert.equal(await me.snapshot(running, BOUND), undefined, 'its maps at the end');
    await finish(silent);
    if (!atLeast(version, '0.22')) return;
    const own = await started('interval:ms:20 { @n = count(); } self:signal:SIGUSR1 { printf("mine\\n"); }');
    assert.match((await me.snapshot(own, BOUND)) ?? '', /^the program has a self:signal:SIGUSR1 probe/);
    assert.equal((await finish(own)).attached_probes, 2);
  });

  // What is added from 0.22 on must not show, nor change what a program means.
  const BROKEN: readonly (readonly [program: string, line: number | undefined])[] = [
    ['interval:s:1 {\n  @a = nosuch(1);\n}', 2],
    ['interval:s:1 { @a = 1; }\ninterval:s:1 { @a = "text"; }', 2],
    ['interval:s:1 { @a = 1; } interval:s:2,', undefined],
    ['interval:s:1 { print(@never); }', 1],
    ['kprobe:no_such_function* { @n = count(); }', undefined],
    ['tracepoint:no_such:* { @n = count(); }', 1],
  ];
  for (const [program, line] of BROKEN) {
    test(`it fails as it would by itself: ${program.replaceAll('\n', '\\n')}`, async () => {
      const id = me.submit({ program });
      await me.untilEnded(id, BOUND);
      const { status, diagnostics, error_message } = me.result(id);
      assert.equal(status, 'failed');
      const lines = diagnostics.map(diagnostic => diagnostic.line).filter(place => place !== undefined);
      if (line !== undefined) {
        const behind = lines.filter(place => place > program.split('\n').length);
        assert.deepEqual([behind, lines.includes(line)], [[], true], JSON.stringify(diagnostics));
      }
      assert.doesNotMatch(`${error_message} ${JSON.stringify(diagnostics)}`, /SIGUSR1|bpftrace-mcp/);
    });
  }
});
