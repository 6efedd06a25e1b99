import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientView, Refusal, type Result } from '../../src/engine/index.js';
import type { seeded } from '../../test/support/random.js';

type Chance = ReturnType<typeof seeded>;

/** One piece of work of one client, checked against what it must come to; another client stands beside. */
export type LibraryWork = (me: ClientView, chance: Chance, other: ClientView) => Promise<void>;

const BOUND = { boundMs: 120_000 };
/** The map is there from the first moment on, whatever else happens to the program. */
const MARKED = 'BEGIN { @mark = 7; } interval:ms:20 { @n = count(); }';
const WRONG = 'BEGIN { @ = $never_set; }';
const NUMBERS = '@i++; printf("%d\\n", @i);';

async function ended(me: ClientView, id: string): Promise<Result> {
  await me.untilEnded(id, BOUND);
  return me.result(id, { limit: 1000 });
}

function mapValue({ maps }: Result, name: string): unknown {
  return maps.find(map => map.name === name)?.value;
}

function assertMarked(result: Result, status: string, endedBy: string): void {
  assert.deepEqual([result.status, result.ended_by, result.error_message], [status, endedBy, undefined]);
  assert.equal(mapValue(result, '@mark'), 7);
}

/** The newest lines count up, one by one unless events were lost, and the ring has dropped what it had no room for. */
function assertNumbers(
  me: ClientView,
  id: string,
  { lines_total, lines_dropped, lost_events }: Result,
): void {
  assert.ok(lines_total > 0, 'it printed nothing');
  const { output } = me.result(id, { offset: Math.max(lines_dropped, lines_total - 1000), limit: 1000 });
  const numbers = output.map(Number);
  numbers.forEach((number, i) => {
    const before = numbers[i - 1] ?? number - 1;
    assert.ok(lost_events > 0 ? number > before : number === before + 1, `${before} and then ${number}`);
  });
  if (lost_events === 0) assert.equal(numbers.at(-1), lines_total);
}

export const LIBRARY_WORK: Readonly<Record<string, LibraryWork>> = {
  async 'short program'(me, chance) {
    const number = chance.below(1_000_000);
    const id = me.submit({ program: `BEGIN { printf("%d\\n", ${number}); @ = ${number}; exit(); }` });
    const result = await ended(me, id);
    assert.deepEqual([result.status, result.ended_by, result.output], ['completed', 'exit', [`${number}`]]);
    assert.equal(mapValue(result, '@'), number);
  },
  async deadline(me, chance) {
    const deadlineMs = 100 + chance.below(900);
    const result = await ended(me, me.submit({ program: MARKED, deadlineMs }));
    assertMarked(result, 'completed', 'deadline');
    assert.ok(result.duration >= deadlineMs / 1000 - 0.01, `${result.duration} s of ${deadlineMs} ms`);
  },
  async lines(me) {
    const id = me.submit({ program: `interval:ms:5 { ${NUMBERS} }`, deadlineMs: 700 });
    const result = await ended(me, id);
    assert.equal(result.ended_by, 'deadline', result.error_message);
    assertNumbers(me, id, result);
  },
  async flood(me) {
    const id = me.submit({ program: `interval:ms:1 { unroll(60) { ${NUMBERS} } }`, deadlineMs: 1000 });
    await me.untilNews(id, 0, BOUND);
    while (me.result(id, { limit: 0 }).ended_by === undefined) {
      me.result(id, { limit: 1000 });
      await me.untilNews(id, Number.MAX_SAFE_INTEGER, { boundMs: 50 });
    }
    const result = me.result(id, { limit: 0 });
    assert.equal(result.ended_by, 'deadline', result.error_message);
    assertNumbers(me, id, result);
  },
  async stop(me, chance) {
    const id = me.submit({ program: MARKED, deadlineMs: 60_000 });
    await me.untilSettled(id, BOUND);
    await me.untilNews(id, 0, { boundMs: chance.below(300) });
    const wasRunning = me.result(id).status === 'running';
    me.stop(id);
    const result = await ended(me, id);
    if (wasRunning) assertMarked(result, 'stopped', 'stop');
    else assert.equal(result.status, 'stopped');
  },
  async 'stop at once'(me, chance) {
    const id = me.submit({ program: MARKED, deadlineMs: 60_000 });
    await sleep(chance.below(100));
    me.stop(id);
    const result = await ended(me, id);
    assert.deepEqual([result.status, result.ended_by], ['stopped', 'stop']);
  },
  async 'wait that is cut short'(me, chance) {
    const id = me.submit({ program: MARKED, deadlineMs: 60_000 });
    await me.untilEnded(id, { ...BOUND, signal: AbortSignal.timeout(1 + chance.below(200)) });
    assert.equal(me.result(id).ended_by, undefined);
    me.stop(id);
    assert.equal((await ended(me, id)).status, 'stopped');
  },
  async snapshot(me) {
    const id = me.submit({ program: MARKED, deadlineMs: 60_000 });
    await me.untilSettled(id, BOUND);
    if (me.result(id).status === 'running') {
      const missing = await me.snapshot(id, { boundMs: 20_000 });
      assert.equal(missing, undefined);
      assert.equal(mapValue(me.result(id), '@mark'), 7);
    }
    me.stop(id);
    assert.equal((await ended(me, id)).status, 'stopped');
  },
  async 'compile error'(me) {
    const result = await ended(me, me.submit({ program: WRONG }));
    assert.deepEqual([result.status, result.reason], ['failed', 'compile_failed']);
    assert.equal(result.diagnostics[0]?.line, 1);
  },
  async 'probe that is not there'(me) {
    const result = await ended(me, me.submit({ program: 'tracepoint:sched:no_such { @ = count(); }' }));
    assert.deepEqual([result.status, result.reason], ['failed', 'attach_failed']);
  },
  async validation(me, chance) {
    const signal = AbortSignal.timeout(60_000);
    const isRight = chance.below(2) === 0;
    const program = isRight ? MARKED : WRONG;
    assert.equal((await me.validate(program, signal)).valid, isRight);
  },
  async 'list of probes'(me) {
    const { probes } = await me.probes({ filter: 'tracepoint:sched:sched_switch' });
    assert.deepEqual(
      probes.map(({ name }) => name),
      ['tracepoint:sched:sched_switch'],
    );
  },
  async "another's execution"(me, _chance, other) {
    const id = me.submit({ program: 'BEGIN { exit(); }' });
    const isUnknown = (error: unknown): boolean =>
      error instanceof Refusal && error.code === 'unknown_execution';
    assert.throws(() => other.result(id), isUnknown);
    assert.throws(() => other.stop(id), isUnknown);
    assert.equal((await ended(me, id)).status, 'completed');
  },
};
