import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cut, read } from '../support/read-records.js';

/** As 0.27.1 wrote it: 19 in each bucket, 800 in the series. */
const ATTACHED = '{"type": "attached_probes", "count": 1, "data": {"probes": 1}}';
const DECIMAL = '{"type": "hist", "data": {"@a": [{"min": 32, "max": 63, "count": 19}]}}';
const NO_ESCAPE = '{"type": "printf", "data": "\\\\u001b \\n"}';
const ESCAPE = '{"type": "printf", "data": "\\uffffffc3\\uffffffa9\\n"}';
const HIST = '{"type": "hist", "data": {"@b": [{"min": 32, "max": 63, "count": 13}]}}';
const SERIES =
  '{"type": "tseries", "data": {"@c": [{"interval_start":"2026-11-29 18:13:29.000000000","value":320}]}}';
const BELOW =
  '{"type": "tseries", "data": {"@d": [{"interval_start":"2026-11-29 18:13:29.000000000","value":ffffffffffffffd8}]}}';
const LOST = '{"type": "lost_events", "count": 1f, "data": {"events": 1f}}';
const OWN =
  '{"type": "hist", "data": {"@o": {"aa": [{"min": 32, "max": 63, "count": 19}], "\\u0001": [{"min": 32, "max": 63, "count": 13}], "\\"count\\": 13}": [{"min": 2, "max": 3, "count": 1f}]}}}';

function bytes(...records: string[]): Buffer {
  return Buffer.from(records.map(record => `${record}\n`).join(''), 'latin1');
}

/** The counts of histograms and the values of series, by the names of their maps. */
function numbers(pieces: readonly Buffer[]): Record<string, unknown> {
  const { maps, lostEvents } = read(pieces);
  const values = maps.map(({ name, value, entries }) => {
    const all = entries ? entries.map(entry => entry.value) : [value];
    const told = all.map(one =>
      one && typeof one === 'object' && 'count' in one
        ? one.count
        : (one as { value: unknown }[] | undefined)?.[0]?.value,
    );
    return [name, entries ? told : told[0]];
  });
  return { ...Object.fromEntries(values), lostEvents };
}

describe('numbers that 0.27 writes in hexadecimal', () => {
  const all = bytes(ATTACHED, DECIMAL, NO_ESCAPE, ESCAPE, HIST, SERIES, BELOW, LOST);
  const expected = { '@a': 19, '@b': 19, '@c': 800, '@d': -40, lostEvents: 31 };

  test('are read as such behind the first text that JSON escapes, wherever the bytes are cut', () => {
    assert.deepEqual(numbers([all]), expected);
    for (let at = 1; at < all.length; at++)
      assert.deepEqual(numbers(cut(all, [at])), expected, `cut at ${at}`);
    assert.deepEqual(
      numbers(
        cut(
          all,
          Array.from({ length: all.length / 7 }, (_, i) => 7 * i),
        ),
      ),
      expected,
      'in pieces of 7 bytes',
    );
  });

  test('within one map from the key on that has such a text', () => {
    assert.deepEqual(numbers([bytes(ATTACHED, OWN)]), { '@o': [31, 19, 19], lostEvents: 0 });
  });

  test('not behind bare text that reads like an escape, nor of a bpftrace that does not do it', () => {
    const bare = bytes(ATTACHED, '\\u001b', DECIMAL);
    assert.deepEqual(numbers([bare]), { '@a': 19, lostEvents: 0 });
    const older = bytes('{"type": "attached_probes", "data": {"probes": 1}}', ESCAPE, DECIMAL);
    assert.deepEqual(numbers([older]), { '@a': 19, lostEvents: 0 });
  });
});
