import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ResultStore } from '../../src/results/store.js';
import { until } from '../support/until.js';

const HOUR_MS = 3_600_000;

describe('result store', () => {
  test('the oldest finished goes first, however often it is read', () => {
    const store = new ResultStore({ ttlMs: HOUR_MS, maxCount: 3, maxBytes: 1e9 });
    for (const id of ['a', 'b', 'c']) store.add({ id, bytes: 10 });
    for (let i = 0; i < 5; i++) assert.ok(store.get('a'));
    store.add({ id: 'd', bytes: 10 });
    assert.equal(store.get('a'), undefined);
    assert.deepEqual(
      [...store.values()].map(entry => entry.id),
      ['d', 'c', 'b'],
    );
  });

  test('is bounded in bytes, and an entry larger than all of it still is there until the next', () => {
    const store = new ResultStore({ ttlMs: HOUR_MS, maxCount: 100, maxBytes: 1000 });
    store.add({ id: 'a', bytes: 400 });
    store.add({ id: 'b', bytes: 400 });
    store.add({ id: 'c', bytes: 400 });
    assert.equal(store.get('a'), undefined);
    assert.equal(store.bytes, 800);
    store.add({ id: 'huge', bytes: 5000 });
    assert.deepEqual(
      [...store.values()].map(entry => entry.id),
      ['huge'],
    );
    store.add({ id: 'd', bytes: 10 });
    assert.deepEqual(
      [...store.values()].map(entry => entry.id),
      ['d'],
    );
  });

  test('age counts from the end, reading does not renew it, and memory is given back unasked', async () => {
    const store = new ResultStore({ ttlMs: 100, maxCount: 10, maxBytes: 1e9 });
    const begun = performance.now();
    store.add({ id: 'a', bytes: 10 });
    await until('the entry is purged', 5000, () => store.get('a') === undefined);
    assert.ok(performance.now() - begun >= 99);
    await until('its bytes are given back', 5000, () => store.bytes === 0);
  });
});
