import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { programMaps } from '../../../src/bpftrace/language/program-maps.js';
import type { TypedMap } from '../../../src/contract/map.js';
import { isFrames } from '../../../src/contract/map-values.js';
import { type MapsWanted, readMaps } from '../../../src/results/read-maps.js';
import { encodeMap, onBoard } from '../../../workers/map/encode-map.js';
import { readingOf } from '../../../workers/map/reading.js';
import { typeMap } from '../../../workers/map/type-map.js';

/** Of each function so many stacks, which differ only in their offsets. */
const FUNCTIONS = 60;
const STACKS_EACH = 5;

function stacks(valueAt: (i: number) => string): string {
  const entries = Array.from({ length: FUNCTIONS * STACKS_EACH }, (_, i) => {
    const frames = [`function_${i % FUNCTIONS}+${i}`, 'caller+7', '0x7ffe2a1a7818'];
    return `"\\n${frames.map(frame => `    ${frame}\\n`).join('')},app": ${valueAt(i)}`;
  });
  return `{${entries.join(', ')}}`;
}

function read(assigned: string, type: string, json: string, bytesMax: number, wanted: MapsWanted): TypedMap {
  const reading = readingOf(programMaps(`BEGIN { @x[ustack, comm] ${assigned}; }`), { major: 0, minor: 23 });
  const [map] = readMaps([onBoard(encodeMap(typeMap('@x', type, json, reading), bytesMax))], wanted);
  assert.ok(map?.entries);
  return map;
}

const total = (map: TypedMap): number =>
  (map.entries ?? []).reduce((sum, { value }) => sum + Number(value), 0);

describe('stacks that differ only in offsets', () => {
  const all = (FUNCTIONS * STACKS_EACH * (FUNCTIONS * STACKS_EACH - 1)) / 2;
  const counts = stacks(String);

  test('are one entry, the offsets that all have told; nothing of the sum is lost', () => {
    const map = read('= count()', 'map', counts, 1e6, {});
    assert.equal(map.entries?.length, FUNCTIONS);
    assert.equal(map.stacks_merged, FUNCTIONS * (STACKS_EACH - 1));
    assert.equal(total(map), all);
    assert.deepEqual(map.entries?.[0]?.key, [
      [
        { symbol: `function_${FUNCTIONS - 1}` },
        { symbol: 'caller', offset: 7 },
        { symbol: '0x7ffe2a1a7818' },
      ],
      'app',
    ]);
  });

  test('are each by itself where that is asked for, the largest first', () => {
    const map = read('= count()', 'map', counts, 1e6, { exactStacks: true });
    assert.equal(map.entries?.length, FUNCTIONS * STACKS_EACH);
    assert.equal(map.stacks_merged, undefined);
    assert.deepEqual(
      map.entries?.map(({ value }) => value),
      Array.from({ length: FUNCTIONS * STACKS_EACH }, (_, i) => FUNCTIONS * STACKS_EACH - 1 - i),
    );
    const [frames] = map.entries?.[0]?.key ?? [];
    assert.ok(isFrames(frames));
    assert.deepEqual(frames[0], { symbol: `function_${FUNCTIONS - 1}`, offset: FUNCTIONS * STACKS_EACH - 1 });
  });

  test('bounded: the largest are kept, the rest is a number and a sum', () => {
    for (const bytesMax of [500, 2000, 5000, 9000, 30_000]) {
      for (const wanted of [
        {},
        { entriesMax: 3 },
        { exactStacks: true },
        { exactStacks: true, entriesMax: 3 },
      ]) {
        const encoded = onBoard(
          encodeMap(
            typeMap(
              '@x',
              'map',
              counts,
              readingOf(programMaps('BEGIN { @x[ustack, comm] = count(); }'), undefined),
            ),
            bytesMax,
          ),
        );
        assert.ok(encoded.head.byteLength + encoded.entries.byteLength <= bytesMax);
        const [map] = readMaps([encoded], wanted);
        assert.ok(map?.entries);
        assert.equal(
          total(map) + Number(map.omitted?.sum ?? 0),
          all,
          `${bytesMax} ${JSON.stringify(wanted)}`,
        );
        assert.equal(map.entries.length + (map.omitted?.entries ?? 0), map.entries_total);
        assert.equal((map.entries_total ?? 0) + (map.stacks_merged ?? 0), FUNCTIONS * STACKS_EACH);
      }
    }
  });

  for (const [assigned, type, value, expected] of [
    ['= sum(1)', 'map', '9007199254740993', '45035996273704965'],
    ['= min(1)', 'map', '-4', -4],
    ['= max(1)', 'map', '18446744073709551615', '18446744073709551615'],
    ['++', 'map', '2', 10],
    ['= stats(1)', 'stats', '{"count": 2, "average": 3, "total": 7}', { count: 10, average: 3, total: 35 }],
    [
      '= hist(1)',
      'hist',
      '[{"max": -1, "count": 1}, {"min": 4, "max": 7, "count": 2}]',
      {
        count: 15,
        p50: [4, 8],
        p90: [4, 8],
        p99: [4, 8],
        buckets: [
          [null, 0, 5],
          [4, 8, 10],
        ],
      },
    ],
  ] as const) {
    test(`${assigned}: added up exactly`, () => {
      assert.deepEqual(
        read(
          assigned,
          type,
          stacks(() => value),
          1e6,
          {},
        ).entries?.[0]?.value,
        expected,
      );
    });
  }

  for (const [assigned, type] of [
    ['= avg(1)', 'stats'],
    ['= 5', 'map'],
  ] as const) {
    test(`${assigned}: stay apart, since nothing exact can be said of them together`, () => {
      const map = read(assigned, type, counts, 1e6, {});
      assert.equal(map.entries?.length, FUNCTIONS * STACKS_EACH);
      assert.equal(map.stacks_merged, undefined);
    });
  }
});

/** As 0.23.2 printed ustack() of a program without frame pointers, as text, with `perf` and with `raw`. */
describe('a stack with a frame of 0', () => {
  const forms: readonly [form: string, json: string, second: object, zero: object][] = [
    [
      '',
      String.raw`"\n        syscall+25\n        0x55936db39104\n        0\n        0x48fb894853001a12\n"`,
      { symbol: '0x55936db39104' },
      { symbol: '0' },
    ],
    [
      'perf',
      String.raw`"\n\t7f8501f1a6b9 syscall+25 (/usr/lib/libc.so.6)\n\t55ec9b028104 0x55ec9b028104 ([unknown])\n\t0 0 ([unknown])\n"`,
      { symbol: '0x55ec9b028104', address: '0x55ec9b028104' },
      { symbol: '0', address: '0x0' },
    ],
    [
      'raw',
      String.raw`"\n7f8501f1a6b9\n55ec9b028104\n0\n48fb894853001a12\n"`,
      { symbol: '0x55ec9b028104' },
      { symbol: '0' },
    ],
  ];
  for (const [form, json, second, zero] of forms) {
    test(`is one as a value, too: ustack(${form})`, () => {
      const reading = readingOf(programMaps(`BEGIN { @x = ustack(${form}); }`), { major: 0, minor: 23 });
      const { kind, value } = typeMap('@x', 'map', json, reading);
      assert.equal(kind, 'stack');
      assert.ok(Array.isArray(value));
      assert.deepEqual(value.slice(1, 3), [second, zero]);
    });
  }

  test('and a text of zeros is none', () => {
    const reading = readingOf(programMaps('BEGIN { @x = str(arg0); }'), { major: 0, minor: 23 });
    assert.equal(typeMap('@x', 'map', String.raw`"\n0\n0\n"`, reading).kind, 'scalar');
  });
});
