import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Contents, ResultStore } from '../../src/results/store.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;

function entry(id: string, bytes: number, client = 'me', contents: Contents = { bytes: 0 }) {
  return { id, client, ownBytes: bytes, contents };
}

describe('result store', () => {
  test('the oldest finished goes first, however often it is read', () => {
    const store = new ResultStore({ ttlMs: HOUR_MS, maxCount: 3, maxBytes: 1e9 });
    for (const id of ['a', 'b', 'c']) store.add(entry(id, 10));
    for (let i = 0; i < 5; i++) assert.ok(store.get('a'));
    store.add(entry('d', 10));
    assert.equal(store.get('a'), undefined);
    assert.deepEqual(
      store.of('me').map(({ id }) => id),
      ['d', 'c', 'b'],
    );
  });

  test('is bounded in bytes, and an entry larger than all of it still is there until the next', () => {
    const store = new ResultStore({ ttlMs: HOUR_MS, maxCount: 100, maxBytes: 1000 });
    store.add(entry('a', 400));
    store.add(entry('b', 400));
    store.add(entry('c', 400));
    assert.equal(store.get('a'), undefined);
    assert.equal(store.bytes, 800);
    store.add(entry('huge', 5000));
    assert.deepEqual(
      store.of('me').map(({ id }) => id),
      ['huge'],
    );
    store.add(entry('d', 10));
    assert.deepEqual(
      store.of('me').map(({ id }) => id),
      ['d'],
    );
  });

  test('age counts from the end, reading does not renew it, and memory is given back unasked', async () => {
    const store = new ResultStore({ ttlMs: 100, maxCount: 10, maxBytes: 1e9 });
    const begun = performance.now();
    store.add(entry('a', 10));
    await until('the entry is purged', 5000, () => store.get('a') === undefined);
    assert.ok(performance.now() - begun >= 99);
    await until('its bytes are given back', 5000, () => store.bytes === 0);
  });

  test("nobody's results are pushed out by the flood of another", () => {
    const store = new ResultStore({ ttlMs: HOUR_MS, maxCount: 4, maxBytes: 1000 });
    store.add(entry('a', 100, 'modest'));
    for (const id of ['b', 'c', 'd', 'e', 'f']) store.add(entry(id, 100, 'greedy'));
    assert.deepEqual([store.count, store.of('modest').length, store.get('b')], [4, 1, undefined]);
    store.add(entry('g', 800, 'greedy'));
    assert.deepEqual(
      store.of('greedy').map(({ id }) => id),
      ['g', 'f'],
      'the count again',
    );
    store.add(entry('h', 100, 'third'));
    assert.ok(store.get('a') && store.get('h'));
    assert.deepEqual([store.bytes, store.get('f')], [1000, undefined]);
  });

  test('a client has a bound of its own, and its newest stays', () => {
    const store = new ResultStore({ ttlMs: HOUR_MS, maxCount: 100, maxBytes: 1e9 });
    store.add(entry('a', 100, 'you'));
    for (const id of ['b', 'c', 'd']) store.add(entry(id, 100), 250);
    store.add(entry('e', 900), 250);
    assert.deepEqual(
      [store.of('me').map(({ id }) => id), store.of('you').map(({ id }) => id)],
      [['e'], ['a']],
    );
  });

  test('what several hold is counted once, until the last of them is gone', async () => {
    const store = new ResultStore({ ttlMs: 200, maxCount: 100, maxBytes: 1200 });
    const shared = { bytes: 1000 };
    for (const client of ['a', 'b', 'c']) store.add(entry(client, 10, client, shared));
    assert.deepEqual([store.count, store.bytes], [3, 1030]);
    store.add(entry('d', 10, 'a', { bytes: 100 }));
    assert.deepEqual([store.count, store.bytes], [4, 1140]);
    store.add(entry('e', 200, 'd'));
    assert.ok(store.get('e'));
    assert.ok(store.bytes <= 1200, `${store.bytes} bytes`);
    await until('all are purged', 5000, () => store.count === 0);
    assert.equal(store.bytes, 0);
  });
});
