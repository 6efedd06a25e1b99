import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ClientView, Refusal } from '../../src/engine/index.js';
import { Rates } from '../../src/engine/rate.js';
import { until } from '../support/until.js';
import { withEngine } from '../support/with-engine.js';

const BOUND = { boundMs: 60_000 };
const COUNT = 'interval:ms:50 { @n = count(); }';

function refused(act: () => unknown): Refusal {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function submitted(me: ClientView, count: number, deadlineMs: number): string[] {
  return Array.from({ length: count }, () => me.submit({ program: COUNT, deadlineMs }));
}

describe('fairness', () => {
  test("with 40 programs of a greedy client waiting, another's first is next but one, and an estimate says when", () =>
    withEngine({ concurrency: 1, queueLimit: 40 }, async engine => {
      const [greedy, modest] = [engine.as('greedy'), engine.as('modest')];
      const [first = ''] = submitted(greedy, 41, 1000);
      assert.throws(
        () => greedy.submit({ program: COUNT }),
        error => error instanceof Refusal && error.code === 'busy',
      );
      const id = modest.submit({ program: COUNT, deadlineMs: 1000 });
      const { status, queue_position, estimated_start = 0 } = modest.result(id);
      assert.deepEqual([status, queue_position], ['queued', 2]);
      const begun = performance.now();
      assert.ok(estimated_start > 1 && estimated_start < 4, `${estimated_start} s`);
      await greedy.untilEnded(first, BOUND);
      assert.equal(modest.result(id).queue_position, 1, 'one of the greedy client was before it');
      await until('it begins', 30_000, () => modest.result(id).status !== 'queued');
      const waitedS = (performance.now() - begun) / 1000;
      assert.ok(waitedS > 1.9, `${waitedS} s`);
      assert.equal(modest.result(id).estimated_start, undefined);
      for (const { execution_id } of greedy.list('queued')) greedy.stop(execution_id);
    }));

  test('a higher priority is served before what its client handed in earlier', () =>
    withEngine({ concurrency: 1 }, async engine => {
      const me = engine.as('me');
      const [, low = ''] = submitted(me, 2, 30_000);
      const high = me.submit({ program: COUNT, priority: 1 });
      assert.deepEqual([me.result(low).queue_position, me.result(high).queue_position], [2, 1]);
    }));
});

describe('quotas', () => {
  test('a client runs no more at once than it may, and leaves the other slots to others', () =>
    withEngine({ concurrency: 3 }, async engine => {
      const me = engine.as('me', { limits: { concurrent: 1 } });
      const you = engine.as('you');
      const ids = submitted(me, 2, 30_000);
      const other = you.submit({ program: COUNT });
      assert.deepEqual(
        ids.map(id => me.glance(id).status),
        ['starting', 'queued'],
      );
      assert.equal(you.glance(other).status, 'starting');
      me.stop(ids[0] ?? '');
      await until('the next one begins', 30_000, () => me.glance(ids[1] ?? '').status !== 'queued');
    }));

  test('so many a minute, and a refusal that says when to try again; what is refused costs nothing', () =>
    withEngine({}, async engine => {
      const me = engine.as('me', { limits: { perMinute: 2 } });
      assert.equal(refused(() => me.submit({ program: '' })).code, 'invalid_argument');
      submitted(me, 2, 500);
      const { code, message, next, details } = refused(() => me.submit({ program: COUNT }));
      assert.equal(code, 'busy');
      assert.match(message, /^busy: you have handed in 2 programs within a minute/);
      assert.match(next, /^submit again in (29|30) s/);
      assert.equal(details.per_minute, 2);
      engine.as('you').submit({ program: COUNT, deadlineMs: 500 });
    }));

  test('a token comes back after its part of a minute, and never more than a minute holds', () => {
    let nowMs = 0;
    const rates = new Rates(() => nowMs);
    assert.deepEqual(
      Array.from({ length: 4 }, () => rates.take('me', 3)),
      [0, 0, 0, 20_000],
    );
    nowMs = 15_000;
    assert.equal(rates.take('me', 3), 5000);
    nowMs = 20_000;
    assert.deepEqual([rates.take('me', 3), rates.take('me', 3)], [0, 20_000]);
    nowMs = 1e7;
    assert.deepEqual(
      Array.from({ length: 4 }, () => rates.take('me', 3)),
      [0, 0, 0, 20_000],
    );
    assert.equal(rates.take('me', 60), 1000, 'a bound that changes holds at once');
  });

  test('of the finished results of a client the oldest go first, and another loses none', () =>
    withEngine({ maxResultsBytesPerClient: 1 }, async engine => {
      const [me, you] = [engine.as('me'), engine.as('you', { limits: { resultBytes: 1e6 } })];
      for (const view of [me, you])
        for (let n = 0; n < 2; n++)
          await view.untilEnded(view.submit({ program: 'BEGIN { exit(); }' }), BOUND);
      await until('the first is gone', 5000, () => me.list().length === 1);
      assert.equal(you.list().length, 2);
      assert.equal((await me.info()).limits.result_bytes_per_client, 1);
    }));
});
