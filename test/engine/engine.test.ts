import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId } from '../../src/engine/ids.js';
import { type ClientView, createEngine, Refusal, type TraceEngine } from '../../src/engine/index.js';
import { Run } from '../../src/engine/run.js';
import type { Verdict } from '../../src/engine/verdict.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';

const TICKS = 'interval:ms:100 { @ticks = count(); printf("tick %d\\n", elapsed); }';
const BOUND = { boundMs: 60_000 };

/**
 * bpftrace leaves its polling loop without draining it: the last events are counted in the map and never printed,
 * and the busier the machine, the more of them.
 */
function agrees(counted: unknown, printed: number): boolean {
  return Number(counted) >= printed && Number(counted) <= 2 * printed + 3;
}

function refusal(code: string): (error: unknown) => boolean {
  return error => error instanceof Refusal && error.code === code;
}

describe('engine', () => {
  let engine: TraceEngine;
  let me: ClientView;
  before(() => {
    engine = createEngine({ bpftrace: BPFTRACE, concurrency: 2, queueLimit: 3 });
    me = engine.as('me');
  });
  after(() => engine.close());

  test('a program that never exits is completed by its deadline, maps and all', async () => {
    const id = me.submit({ program: TICKS, deadlineMs: 1000 });
    await me.untilSettled(id, BOUND);
    assert.equal(me.result(id).status, 'running');
    await me.untilEnded(id, BOUND);
    const result = me.result(id);
    assert.equal(result.status, 'completed');
    assert.equal(result.ended_by, 'deadline');
    assert.equal(result.exit_code, 0);
    assert.deepEqual(result.diagnostics, [], 'the memlock line is noise');
    const ticks = result.maps.find(map => map.name === '@ticks')?.value;
    assert.ok(agrees(ticks, result.lines_total), `${ticks} ticks, ${result.lines_total} lines`);
    assert.ok(Number(ticks) >= 8 && Number(ticks) <= 12, `${ticks} ticks`);
    assert.ok(result.duration >= 0.99 && result.duration < 1.5, `${result.duration} s`);
  });

  test('exit() ends it, and is told apart from the deadline', async () => {
    const id = me.submit({ program: 'BEGIN { printf("only %s\\n", "this"); exit(); }' });
    await me.untilEnded(id, BOUND);
    const { status, ended_by, output } = me.result(id);
    assert.deepEqual(
      { status, ended_by, output },
      { status: 'completed', ended_by: 'exit', output: ['only this'] },
    );
  });

  test('a stop keeps lines and maps', async () => {
    const id = me.submit({ program: TICKS, deadlineMs: 30_000 });
    await me.untilNews(id, 2, BOUND);
    me.stop(id);
    await me.untilEnded(id, BOUND);
    const result = me.result(id);
    assert.deepEqual([result.status, result.ended_by], ['stopped', 'stop']);
    assert.ok(result.lines_total >= 3);
    assert.ok(agrees(result.maps[0]?.value, result.lines_total));
    me.stop(id);
    assert.equal(me.result(id).status, 'stopped', 'stopping it again changes nothing');
  });

  test('news comes with the first new line, not with the end', async () => {
    const id = me.submit({ program: TICKS, deadlineMs: 30_000 });
    await me.untilNews(id, 0, BOUND);
    const first = me.result(id);
    assert.equal(first.status, 'running');
    assert.ok(first.lines_total >= 1);
    const asked = performance.now();
    await me.untilNews(id, first.lines_total, BOUND);
    assert.ok(performance.now() - asked < 5000);
    assert.ok(me.result(id).lines_total > first.lines_total);
    await me.untilNews(id, 1_000_000, { boundMs: 300 });
    assert.equal(me.result(id).status, 'running', 'a wait that is over leaves it running');
    const cut = new AbortController();
    setTimeout(() => cut.abort(), 50);
    await me.untilEnded(id, { ...BOUND, signal: cut.signal });
    assert.equal(me.result(id).status, 'running', 'a wait that is cut short leaves it running');
    me.stop(id);
    await me.untilEnded(id, BOUND);
  });

  test('a map that a program prints is news while it runs', async () => {
    const id = me.submit({ program: 'interval:ms:300 { @n = count(); print(@n); }', deadlineMs: 30_000 });
    await me.untilNews(id, 0, BOUND);
    const result = me.result(id);
    assert.equal(result.status, 'running');
    assert.deepEqual(
      result.maps.map(map => map.name),
      ['@n'],
    );
    me.stop(id);
    await me.untilEnded(id, BOUND);
  });

  test('a program that does not compile fails with its place', async () => {
    const id = me.submit({ program: 'BEGIN {\n  printf("x" }' });
    await me.untilSettled(id, BOUND);
    const result = me.result(id);
    assert.deepEqual(
      [result.status, result.ended_by, result.reason],
      ['failed', 'failure', 'compile_failed'],
    );
    const [first] = result.diagnostics;
    assert.deepEqual([first?.severity, first?.line, first?.excerpt], ['error', 2, '  printf("x" }']);
    assert.match(result.error_message ?? '', /^2:\d+: syntax/);
  });

  test('a probe that does not exist fails when attaching', async () => {
    const id = me.submit({ program: 'tracepoint:sched:no_such_probe { @ = count(); }' });
    await me.untilSettled(id, BOUND);
    const result = me.result(id);
    assert.deepEqual([result.status, result.reason], ['failed', 'attach_failed']);
    assert.match(result.error_message ?? '', /sched:no_such_probe/);
  });

  test('beyond slots and queue it is busy, positions go down, and queued work can be stopped', async () => {
    const ids = [1, 2, 3, 4, 5].map(() => me.submit({ program: TICKS, deadlineMs: 30_000 }));
    assert.throws(() => me.submit({ program: TICKS }), refusal('busy'));
    const [a, b, c, d, e] = ids as [string, string, string, string, string];
    assert.deepEqual(
      ids.map(id => me.result(id).queue_position ?? 0),
      [0, 0, 1, 2, 3],
    );
    await me.untilSettled(e, BOUND);
    assert.equal(me.result(e).status, 'queued');
    me.stop(d);
    assert.deepEqual([me.result(d).status, me.result(d).ended_by], ['stopped', 'stop']);
    assert.equal(me.result(e).queue_position, 2);
    me.stop(a);
    await me.untilEnded(a, BOUND);
    await until('the next one runs', 10_000, () => me.result(c).status === 'running');
    assert.equal(me.result(e).queue_position, 1);
    for (const id of [b, c, e]) me.stop(id);
    await Promise.all([b, c, e].map(id => me.untilEnded(id, BOUND)));
    assert.deepEqual(me.list('running'), []);
  });

  test('an offset past the end is refused; the end itself waits', async () => {
    const id = me.submit({ program: 'BEGIN { printf("a\\nb\\n"); exit(); }' });
    await me.untilEnded(id, BOUND);
    assert.throws(() => me.result(id, { offset: 3 }), refusal('offset_out_of_range'));
    assert.deepEqual(me.result(id, { offset: 2 }).output, []);
    assert.deepEqual(me.result(id, { offset: 1, limit: 1 }).output, ['b']);
    assert.equal(me.result(id, { limit: 1 }).has_more, true);
  });

  test('clients see only their own', async () => {
    const id = me.submit({ program: 'BEGIN { exit(); }' });
    await me.untilEnded(id, BOUND);
    const other = engine.as('other');
    assert.throws(() => other.result(id), refusal('unknown_execution'));
    assert.throws(() => other.stop(id), refusal('unknown_execution'));
    assert.deepEqual(other.list(), []);
    assert.throws(
      () => me.result(id.replace(/.$/, last => (last === '0' ? '1' : '0'))),
      refusal('unknown_execution'),
    );
  });

  test('programs that can be none are refused before anything is started', () => {
    assert.throws(() => me.submit({ program: ' \n ' }), refusal('invalid_argument'));
    assert.throws(() => me.submit({ program: 'BEGIN {\0}' }), refusal('invalid_argument'));
    assert.throws(() => me.submit({ program: '/'.repeat(70_000) }), refusal('invalid_argument'));
  });
});

describe('engine, bounds', () => {
  test('a result that was pushed out or is too old is told apart from one that never was', async () => {
    const engine = createEngine({ bpftrace: BPFTRACE, maxResults: 1, resultTtlS: 1 });
    const me = engine.as('me');
    const run = async (): Promise<string> => {
      const id = me.submit({ program: 'BEGIN { exit(); }' });
      await me.untilEnded(id, BOUND);
      return id;
    };
    const first = await run();
    const second = await run();
    await until('the first is pushed out', 5000, () => me.list().length === 1);
    assert.throws(() => me.result(first), refusal('result_gone'));
    assert.equal(me.result(second).status, 'completed');
    await until('the second is too old', 5000, () => me.list().length === 0);
    assert.throws(() => me.result(second), refusal('result_gone'));
    assert.throws(() => me.result('no such id'), refusal('unknown_execution'));
    await engine.close();
    assert.throws(() => me.submit({ program: 'BEGIN { exit(); }' }), refusal('shutting_down'));
  });

  test('with no bpftrace it still starts, and says what to do', async () => {
    const engine = createEngine({ bpftrace: '/nowhere/bpftrace' });
    assert.throws(
      () => engine.as('me').submit({ program: 'BEGIN { exit(); }' }),
      error => error instanceof Refusal && error.code === 'no_bpftrace' && /doctor --fix/.test(error.next),
    );
    await assert.rejects(engine.as('me').probes({}), refusal('no_bpftrace'));
    await engine.close();
  });

  test('the newest lines win, in an execution that asked for few', async () => {
    const engine = createEngine({ bpftrace: BPFTRACE });
    const me = engine.as('me');
    const id = me.submit({
      program: 'interval:ms:1 { @i++; printf("line %d\\n", @i); if (@i >= 200) { exit(); } }',
      maxLines: 10,
    });
    await me.untilEnded(id, BOUND);
    const result = me.result(id);
    assert.equal(result.lines_total - result.lines_dropped, 10);
    assert.equal(result.offset, result.lines_dropped);
    assert.deepEqual(
      result.output,
      Array.from({ length: 10 }, (_, i) => `line ${result.lines_dropped + i + 1}`),
    );
    await engine.close();
  });

  test('32 programs in 8 slots: each has its own output, none is mixed', async () => {
    const engine = createEngine({ bpftrace: BPFTRACE, concurrency: 8 });
    const me = engine.as('me');
    const ids = Array.from({ length: 32 }, (_, n) =>
      me.submit({
        program: `interval:ms:10 { @seen${n} = count(); printf("program ${n}\\n"); }`,
        deadlineMs: 300 + (n % 5) * 50,
      }),
    );
    const positions = ids.map(id => me.result(id).queue_position ?? 0);
    assert.deepEqual(
      positions,
      Array.from({ length: 32 }, (_, n) => Math.max(0, n - 7)),
    );
    const last = ids.at(-1) ?? '';
    const seen: number[] = [];
    const watch = setInterval(() => seen.push(me.result(last).queue_position ?? 0), 20);
    await Promise.all(ids.map(id => me.untilEnded(id, BOUND)));
    clearInterval(watch);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => b - a),
      'the position only goes down',
    );
    assert.ok(new Set(seen).size > 5, `it was seen going down: ${[...new Set(seen)].join(' ')}`);
    ids.forEach((id, n) => {
      const result = me.result(id, { limit: 1000 });
      assert.equal(result.status, 'completed');
      assert.ok(result.output.length > 0);
      assert.deepEqual([...new Set(result.output)], [`program ${n}`]);
      assert.deepEqual(
        result.maps.map(map => map.name),
        [`@seen${n}`],
      );
      assert.ok(agrees(result.maps[0]?.value, result.lines_total));
    });
    await engine.close();
  });
});

describe('run', () => {
  test('a worker that can not be had fails the execution and nothing else', async () => {
    const run = new Run({
      id: newId(),
      program: 'BEGIN { exit(); }',
      deadlineMs: 1000,
      maxLines: 10,
      explain: async () => [],
      floodS: 1,
      floodBytesPerS: 0,
      graceS: 1,
      snapshots: { plan: async () => ({ unsupported: '' }), retry: () => undefined, learn: () => {} },
      start: () => {
        throw new RangeError('Array buffer allocation failed');
      },
    });
    let verdict: Verdict | undefined;
    run.join({
      owner: {},
      isLeaving: false,
      isShared: false,
      end: kept => {
        verdict = kept.verdict;
      },
    });
    await run.run();
    await run.ended.promise;
    assert.deepEqual([run.status, verdict?.reason], ['failed', 'start_failed']);
    assert.match(verdict?.message ?? '', /Array buffer allocation failed/);
  });
});
