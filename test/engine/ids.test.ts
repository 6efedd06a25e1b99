import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId, wasIssued } from '../../src/engine/ids.js';

const COUNT = 20_000;
const RANDOM_DIGITS = 32;

describe('execution ids', () => {
  test('128 random bits: no two alike, every bit as often set as not', () => {
    const ids = Array.from({ length: COUNT }, newId);
    assert.equal(new Set(ids.map(id => id.slice(0, RANDOM_DIGITS))).size, COUNT);
    const set = new Array<number>(4 * RANDOM_DIGITS).fill(0);
    for (const id of ids) {
      const bits = BigInt(`0x${id.slice(0, RANDOM_DIGITS)}`);
      for (let bit = 0; bit < set.length; bit++)
        set[bit] = (set[bit] ?? 0) + Number((bits >> BigInt(bit)) & 1n);
    }
    // Six standard deviations of a fair coin: once in millions of runs.
    const most = (6 * Math.sqrt(COUNT)) / 2;
    for (const [bit, times] of set.entries()) {
      assert.ok(Math.abs(times - COUNT / 2) < most, `bit ${bit} is set ${times} times of ${COUNT}`);
    }
  });

  test('what was given out is known, what differs in one digit is not', () => {
    const id = newId();
    assert.ok(wasIssued(id));
    for (let at = 0; at < id.length; at++) {
      const digit = ((Number.parseInt(id[at] ?? '0', 16) + 1) % 16).toString(16);
      assert.ok(!wasIssued(id.slice(0, at) + digit + id.slice(at + 1)), `digit ${at}`);
    }
    for (const other of ['', id.slice(1), `${id}0`, id.toUpperCase() === id ? 'x' : id.toUpperCase()]) {
      assert.ok(!wasIssued(other), other);
    }
  });
});
