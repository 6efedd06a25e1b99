import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isHistogram } from '../../src/contract/map-values.js';
import {
  type ClientView,
  ConfigError,
  createEngine,
  Refusal,
  type TraceEngine,
} from '../../src/engine/index.js';
import { BPFTRACE } from '../support/server.js';

/** What the library refuses or repairs, whoever calls it. */
const BOUND = { boundMs: 30_000 };
const LONG = 'interval:ms:100 { @ticks = count(); }';

function refused(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'invalid_argument' && error.next.length > 0;
}

describe('requests', () => {
  let engine: TraceEngine;
  let me: ClientView;
  before(() => {
    engine = createEngine({ bpftrace: BPFTRACE, maxTimeoutS: 3 });
    me = engine.as('me');
  });
  after(() => engine.close());

  for (const request of [
    { deadlineMs: Number.NaN },
    { deadlineMs: 0 },
    { deadlineMs: -5 },
    { deadlineMs: 3001 },
    { deadlineMs: 1e12 },
    { maxLines: 0 },
    { maxLines: 2.5 },
    { maxLines: 1e9 },
  ]) {
    test(`refused: ${Object.entries(request).join(' ')}`, () => {
      assert.throws(() => me.submit({ program: LONG, ...request }), refused);
      assert.equal(me.list('running').length, 0);
    });
  }

  test('a default deadline is never above the longest one', () => {
    assert.equal(engine.config.defaultTimeoutS, 3);
    assert.throws(() => createEngine({ maxTimeoutS: 3, defaultTimeoutS: 4 }), ConfigError);
    assert.throws(() => createEngine({ concurrency: 0 }), ConfigError);
    assert.throws(() => createEngine(JSON.parse('{ "concurency": 1 }')), /there is no setting concurency/);
  });

  test('windows that are none are refused', async () => {
    const id = me.submit({ program: 'BEGIN { exit(); }' });
    await me.untilEnded(id, BOUND);
    for (const window of [
      { offset: Number.NaN },
      { offset: -1 },
      { offset: 0.5 },
      { limit: Number.NaN },
      { limit: -1 },
    ]) {
      assert.throws(() => me.result(id, window), refused);
    }
  });

  test('a wait without end waits', async () => {
    const id = me.submit({ program: LONG, deadlineMs: 500 });
    await me.untilEnded(id, { boundMs: Number.POSITIVE_INFINITY });
    assert.equal(me.result(id).status, 'completed');
  });

  test('what has not been said yet is absent', () => {
    const id = me.submit({ program: LONG, deadlineMs: 500 });
    const result = me.result(id);
    assert.equal(result.status, 'starting');
    assert.equal('attached_probes' in result, false);
    me.stop(id);
  });

  test('a byte order mark is no part of the program', async () => {
    const id = me.submit({ program: '\uFEFFBEGIN { printf("here\\n"); exit(); }' });
    await me.untilEnded(id, BOUND);
    assert.deepEqual(me.result(id).output, ['here']);
  });

  test('histograms beyond 2^31, which 0.17 writes as negative', async () => {
    const id = me.submit({ program: 'BEGIN { @ns = hist(8400000000); @k[1] = hist(3000000000); exit(); }' });
    await me.untilEnded(id, BOUND);
    const [keyed, plain] = me.result(id).maps;
    for (const value of [keyed?.entries?.[0]?.value, plain?.value]) {
      assert.ok(isHistogram(value), JSON.stringify(me.result(id).maps));
      assert.equal(value.buckets.length, 1);
      assert.ok(Number(value.buckets[0]?.[0]) >= 2 ** 31, JSON.stringify(value));
    }
  });

  test('a hook that throws takes nothing down', async () => {
    const other = createEngine(
      { bpftrace: BPFTRACE },
      {
        onEnd: () => {
          throw new Error('on purpose');
        },
      },
    );
    const view = other.as('me');
    const id = view.submit({ program: 'BEGIN { exit(); }' });
    await view.untilEnded(id, BOUND);
    assert.equal(view.result(id).status, 'completed');
    await other.close();
    await other.close();
  });
});
