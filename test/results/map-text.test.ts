import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MapValue, TypedMap } from '../../src/contract/map.js';
import { mapLines } from '../../src/results/map-text.js';
import { boundsText, keyText, valueText } from '../../src/results/value-text.js';
import { histogramOf } from '../../workers/map/histogram.js';
import { parseJson } from '../../workers/map/json.js';

function histogram(json: string): MapValue {
  const parsed = parseJson(json);
  return histogramOf(Array.isArray(parsed) ? parsed : []);
}

describe('values as text', () => {
  for (const [json, expected] of [
    ['[]', 'n=0'],
    ['[{"min": 4096, "max": 8191, "count": 3}]', 'n=3 in 4K-8K'],
    [
      '[{"max": -1, "count": 1}, {"min": 0, "max": 0, "count": 0}, {"min": 2048, "max": 4095, "count": 9}]',
      'n=10 p50,p90,p99=2K-4K | <0:1 2K:9',
    ],
    [
      '[{"min": 0, "max": 9, "count": 5}, {"min": 90, "max": 99, "count": 4}, {"min": 100, "count": 1}]',
      'n=10 p50=0-10 p90=90-100 p99=>=100 | step 10 0:5 90:4 >=100:1',
    ],
    [
      '[{"min": 8, "max": 9, "count": 1}, {"min": 12, "max": 15, "count": 1}]',
      'n=2 p50=8-10 p90,p99=12-16 | 8-10:1 12-16:1',
    ],
  ] as const) {
    test(json, () => assert.equal(valueText(histogram(json)), expected));
  }

  test('the units that bpftrace writes, and nothing else rounded', () => {
    assert.equal(boundsText([1_048_576, 2_097_152]), '1M-2M');
    assert.equal(boundsText([1000, 1025]), '1000-1025');
    assert.equal(boundsText(['9223372036854775808', '18446744073709551616']), '8E-16E');
    assert.equal(boundsText([null, 0]), '<0');
    assert.equal(boundsText([7, 8]), '7');
  });

  test('text of more than a line, and text that may be taken for two parts, stands in quotes', () => {
    assert.equal(valueText('a\nb'), '"a\\nb"');
    assert.equal(valueText([1, 'a,b', [{ symbol: 'f', offset: 2 }]]), '(1, "a,b", f+2)');
    assert.equal(keyText(['a,b']), 'a,b');
    assert.equal(keyText(['a,b', 1, '']), '"a,b", 1, ""');
    assert.equal(keyText([[{ symbol: 'f', offset: 2, module: 'm' }, { symbol: 'g' }]]), 'f+2 (m) < g');
  });
});

describe('maps as text', () => {
  const entries = [
    { key: ['a'], value: 9 },
    { key: ['b'], value: 2 },
  ];
  const map: TypedMap = { name: '@n', kind: 'count', keys: ['text'], entries, entries_total: 2 };

  for (const [what, value, expected] of [
    ['no key', { name: '@n', kind: 'scalar', value: 5 }, ['@n: 5']],
    ['one entry', { ...map, entries: entries.slice(0, 1), entries_total: 1 }, ['@n[a]: 9']],
    ['several', map, ['@n:', ' a: 9', ' b: 2']],
    ['no entry', { ...map, entries: [], entries_total: 0 }, ['@n:']],
    [
      'some left out',
      { ...map, entries_total: 7, omitted: { entries: 5, sum: 6 } },
      ['@n: (7 keys, the 5 smallest with 6 together not shown)', ' a: 9', ' b: 2'],
    ],
    ['full', { ...map, full: true, updates_lost: 3 }, ['@n: (full, 3 updates lost)', ' a: 9', ' b: 2']],
    [
      'whole keys',
      { ...map, keys: ['text', 'text'], keys_unsplit: '1 with more commas' },
      ['@n: (keys whole: 1 with more commas)', ' a: 9', ' b: 2'],
    ],
  ] satisfies [string, TypedMap, string[]][]) {
    test(what, () => assert.deepEqual(mapLines(value), expected));
  }

  test('the largest ones only', () => {
    assert.deepEqual(mapLines(map, 1), ['@n: (the 1 largest of 2 keys)', ' a: 9']);
  });
});
