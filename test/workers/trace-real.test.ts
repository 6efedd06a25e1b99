import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientView, createEngine, type TraceEngine } from '../../src/engine/index.js';
import { SLOW_START, TICKS } from '../support/ending-server.js';
import { descendantsOf } from '../support/processes.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';

const BOUND = { boundMs: 60_000 };

describe('trace: the real bpftrace', () => {
  const ended: string[] = [];
  let engine: TraceEngine;
  let me: ClientView;
  before(() => {
    engine = createEngine(
      { bpftrace: BPFTRACE, concurrency: 2 },
      { onEnd: ({ execution }) => ended.push(execution) },
    );
    me = engine.as('me');
  });
  after(async () => {
    await engine.close();
    assert.deepEqual(descendantsOf(process.pid), []);
  });

  test('30 deadlines in a row: each is kept, and each answer holds its map', async t => {
    // 0.17 forgets a SIGINT that comes between two waits of its polling loop; a timer makes that likely.
    const ids = Array.from({ length: 30 }, () => me.submit({ program: TICKS, deadlineMs: 500 }));
    for (const id of ids) await me.untilEnded(id, BOUND);
    const results = ids.map(id => me.result(id));
    for (const result of results) {
      const { status, ended_by, exit_code, maps } = result;
      assert.deepEqual([status, ended_by, exit_code], ['completed', 'deadline', 0], JSON.stringify(result));
      assert.deepEqual(
        maps.map(({ name, value }) => [name, typeof value]),
        [['@', 'number']],
      );
    }
    // Five each. The kernel skips a tick that comes while another program, of anybody's, runs on that CPU.
    const ticks = results.map(({ maps }) => Number(maps[0]?.value));
    const total = ticks.reduce((sum, count) => sum + count);
    assert.ok(total >= 90 && total <= 300, ticks.join(' '));
    const durations = results.map(({ duration }) => duration);
    t.diagnostic(`traced ${Math.min(...durations)} to ${Math.max(...durations)} s`);
    assert.ok(Math.min(...durations) >= 0.49 && Math.max(...durations) < 2, durations.join(' '));
  });

  // The launcher, the parser, the compiler and the attaching each meet a signal in their own way.
  for (const afterMs of [0, 20, 100, 500, 1000]) {
    test(`a stop while it starts, ${afterMs} ms after its process is there`, async () => {
      const id = me.submit({ program: SLOW_START });
      await until('its process is there', 20_000, () => descendantsOf(process.pid).length > 0);
      await sleep(afterMs);
      const { status } = me.result(id);
      me.stop(id);
      const begun = performance.now();
      await me.untilEnded(id, BOUND);
      const ms = performance.now() - begun;
      const result = me.result(id);
      assert.deepEqual([result.status, result.ended_by], ['stopped', 'stop'], `it was ${status}`);
      assert.equal(result.error_message, undefined, 'it was not killed');
      assert.ok(ms < 15_000, `${ms} ms`);
      assert.deepEqual(descendantsOf(process.pid), []);
    });
  }

  test('a stop while it is queued: it never runs, and the others do', async () => {
    const first = [
      me.submit({ program: TICKS, deadlineMs: 500 }),
      me.submit({ program: TICKS, deadlineMs: 500 }),
    ];
    const third = me.submit({ program: TICKS });
    const fourth = me.submit({ program: TICKS, deadlineMs: 300 });
    assert.deepEqual([me.result(third).status, me.result(fourth).queue_position], ['queued', 2]);
    me.stop(third);
    const { status, ended_by, duration, exit_code } = me.result(third);
    assert.deepEqual([status, ended_by, duration, exit_code], ['stopped', 'stop', 0, undefined]);
    assert.equal(me.result(fourth).queue_position, 1);
    for (const id of [...first, fourth]) {
      await me.untilEnded(id, BOUND);
      assert.equal(me.result(id).status, 'completed');
    }
  });

  test('a stop, a second one while it is ending, and a third when it has ended: one end, with its map', async () => {
    const id = me.submit({ program: TICKS });
    await me.untilSettled(id, BOUND);
    await until('it has run for a while', 20_000, () => me.result(id).duration >= 0.5);
    me.stop(id);
    me.stop(id);
    await until('it is ending', 5000, () => me.result(id).ending ?? me.result(id).ended_by);
    me.stop(id);
    await me.untilEnded(id, BOUND);
    const result = me.result(id);
    assert.deepEqual([result.status, result.ended_by, result.exit_code], ['stopped', 'stop', 0]);
    assert.equal(typeof result.maps[0]?.value, 'number', JSON.stringify(result));
    me.stop(id);
    assert.deepEqual(me.result(id), result);
    assert.equal(ended.filter(other => other === id).length, 1);
  });
});
