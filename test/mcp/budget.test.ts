import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type ClientView,
  createEngine,
  type Result,
  type TraceEngine,
  type Window,
} from '../../src/engine/index.js';
import { resultText } from '../../src/mcp/result-text.js';
import { folder, shell } from '../support/fake-bpftrace.js';

/**
 * Replies keep to their budget, whatever was printed: each case is what a bpftrace may print, and is read with
 * budgets from the smallest to the largest.
 */
const BUDGETS = [2048, 8192, 40_000];
const WINDOWS: Window[] = [
  { mapEntries: 20 },
  { offset: 0, limit: 1000, mapEntries: 10_000 },
  { match: '[a-e]|1', limit: 200, mapEntries: 0 },
];

const record = (type: string, data: unknown): string => JSON.stringify({ type, data }).replace(/":/g, '": ');
const lines = (count: number, bytes: number): string[] =>
  Array.from({ length: count }, (_, i) => record('printf', `${i} ${'abc "\t" é '.repeat(bytes / 11)}\n`));
const map = (name: string, value: unknown): string => record('map', { [name]: value });
const keyed = <T>(count: number, value: (i: number) => T, key = 'key') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${key} ${i}`, value(i)]));
const buckets = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ min: i * 1000, max: i * 1000 + 999, count: i + 1 }));
const stack = (depth: number, i: number): string =>
  `\n${Array.from({ length: depth }, (_, d) => `        do_something_in_the_kernel_${i}_${d}+${d}\n`).join('')}`;

interface Case {
  name: string;
  stdout: string[];
  stderr?: string;
}

const CASES: Case[] = [
  { name: 'nothing', stdout: [] },
  { name: '2,000 lines', stdout: lines(2000, 100) },
  { name: 'one line of 60 KB', stdout: [record('printf', `${'x'.repeat(60_000)}\n`)] },
  { name: 'a line of 60 KB among others', stdout: [...lines(30, 50), ...lines(1, 60_000), ...lines(30, 50)] },
  { name: 'control characters', stdout: [record('printf', `${'\u0001'.repeat(20_000)}\n`)] },
  {
    name: 'a map of 8,000 entries',
    stdout: [
      map(
        '@',
        keyed(8000, i => i),
      ),
    ],
  },
  { name: 'a key of 200 KB', stdout: [map('@long', { ['k'.repeat(200_000)]: 5, small: 2 })] },
  { name: 'a text of 200 KB', stdout: [map('@text', 'v'.repeat(200_000))] },
  { name: '300 maps', stdout: Array.from({ length: 300 }, (_, i) => map(`@a_rather_long_name_${i}`, i)) },
  { name: 'a histogram of 1,000 buckets', stdout: [record('hist', { '@h': buckets(1000) })] },
  { name: '40 histograms of 100', stdout: [record('hist', { '@h': keyed(40, () => buckets(100)) })] },
  {
    name: '100 deep stacks',
    stdout: [map('@s', Object.fromEntries(Array.from({ length: 40 }, (_, i) => [stack(100, i), i])))],
  },
  { name: 'a stack as a value', stdout: [map('@s', stack(2000, 1))] },
  {
    name: 'a name as long as it gets, with many entries',
    stdout: [
      map(
        `@${'n'.repeat(300)}`,
        keyed(500, i => i),
      ),
    ],
  },
  {
    name: 'an error of 60 KB about a line of 50 KB',
    stdout: [],
    stderr: `stdin:1:7-49000: ERROR: ${'what is wrong here '.repeat(3000)}\nBEGIN { ${'x'.repeat(50_000)} }\n      ~~`,
  },
  {
    name: 'hundreds of warnings',
    stdout: lines(500, 50),
    stderr: Array.from(
      { length: 400 },
      (_, i) => `stdin:1:7-9: WARNING: number ${i}\nBEGIN { }\n      ~~`,
    ).join('\n'),
  },
  {
    name: 'much of everything',
    stdout: [
      ...lines(300, 200),
      map(
        '@',
        keyed(5000, i => i),
      ),
      record('hist', { '@h': keyed(40, () => buckets(100)) }),
      map('@long', { ['k'.repeat(100_000)]: 5, small: 2 }),
    ],
    stderr: Array.from({ length: 50 }, (_, i) => `stdin:1:7-9: WARNING: number ${i}`).join('\n'),
  },
];

/** A fake bpftrace whose program ends in the number of a case. */
const FAKE = [
  'read -r _begin _open _close _comment number',
  `cat "${folder}/budget-$number.out"`,
  `cat "${folder}/budget-$number.err" >&2`,
  `exit $(cat "${folder}/budget-$number.code")`,
];

describe('budgets', () => {
  let engine: TraceEngine;
  let me: ClientView;
  const ids = new Map<string, string>();
  before(async () => {
    engine = createEngine({ bpftrace: shell(...FAKE), concurrency: 2 });
    me = engine.as('me');
    CASES.forEach(({ name, stdout, stderr = '' }, i) => {
      writeFileSync(join(folder, `budget-${i}.out`), stdout.map(line => `${line}\n`).join(''));
      writeFileSync(join(folder, `budget-${i}.err`), stderr);
      writeFileSync(join(folder, `budget-${i}.code`), stdout.length > 0 ? '0' : '1');
      ids.set(name, me.submit({ program: `BEGIN { } // ${i}\n` }));
    });
    for (const id of ids.values()) await me.untilEnded(id, { boundMs: 60_000 });
  });
  after(() => engine.close());

  for (const { name } of CASES) {
    test(name, () => {
      const id = ids.get(name) ?? assert.fail();
      for (const maxBytes of BUDGETS) {
        for (const window of WINDOWS) {
          const result = me.result(id, { ...window, maxBytes });
          const asked = `max_bytes ${maxBytes}, ${JSON.stringify(window)}`;
          const [json, text] = [JSON.stringify(result), resultText(result)].map(form =>
            Buffer.byteLength(form),
          );
          assert.ok((json ?? 0) <= maxBytes, `${json} bytes of JSON: ${asked}`);
          assert.ok(
            (text ?? 0) <= maxBytes,
            `${text} bytes of text: ${asked}\n${resultText(result).slice(0, 500)}`,
          );
          if (result.lines_total > 0 && !window.match)
            assert.ok(result.lines_returned > 0, `no line: ${asked}`);
          assert.ok(result.maps.length > 0 === me.result(id).maps.length > 0, `no map: ${asked}`);
        }
      }
      // Nothing that is kept is out of reach.
      const all = me.result(id, { maxBytes: 1024 * 1024, limit: 0 });
      assert.equal(all.maps_not_shown, undefined);
      assert.ok(all.maps.every(shown => !shown.omitted && !shown.shortened));
      assert.equal(all.diagnostics_not_shown, undefined);
      assert.deepEqual(paged(me, id, 8192), paged(me, id));
    });
  }

  test('what does not fit is told', () => {
    const read = (name: string, window: Window): Result => {
      const id = ids.get(name) ?? assert.fail();
      return me.result(id, window);
    };
    const many = read('a map of 8,000 entries', { mapEntries: 20, maxBytes: 8192 });
    assert.deepEqual(many.maps[0]?.omitted, { entries: 7980, sum: (7979 * 7980) / 2 });
    assert.equal(many.maps[0]?.entries?.[0]?.value, 7999);
    assert.match(resultText(many), /the 7980 smallest with 31836210 together not shown/);
    const wide = read('a histogram of 1,000 buckets', { maxBytes: 8192 }).maps[0];
    assert.equal(wide?.shortened, true);
    assert.ok(wide);
    const { buckets: counted } = wide.value as { buckets: [number, number, number][] };
    assert.equal(
      counted.reduce((sum, [, , count]) => sum + count, 0),
      500_500,
      'every value is in some bucket',
    );
    const long = read('one line of 60 KB', { maxBytes: 8192 });
    assert.equal(long.lines_shortened, 1);
    assert.match(
      long.output[0] ?? '',
      /^x{5000,}…\[\+\d+ bytes; whole: offset 0, limit 1, a larger max_bytes\]$/,
    );
    assert.equal(
      read('one line of 60 KB', { maxBytes: 70_000, offset: 0, limit: 1 }).output[0]?.length,
      60_000,
    );
    const flood = read('2,000 lines', { maxBytes: 8192 });
    assert.ok(flood.tail && flood.tail.output.length > 10 && flood.output.length > 10);
    assert.match(
      resultText(flood),
      new RegExp(`\\n\\[\\d+ lines left out: offset ${flood.next_offset} reads on`),
    );
  });
});

/** Every line, read as a client pages, to the end; a line that was shortened is asked for again. */
function paged(me: ClientView, id: string, maxBytes?: number): string[] {
  const seen: string[] = [];
  for (let offset = 0; ; ) {
    const page = me.result(id, { offset, limit: 1000, mapEntries: 0, maxBytes });
    const [first] = page.lines_shortened
      ? me.result(id, { offset, limit: 1, mapEntries: 0, maxBytes: 1024 * 1024 }).output
      : page.output;
    if (first !== undefined) seen.push(first, ...page.output.slice(1));
    offset = page.next_offset;
    if (!page.has_more) return seen;
  }
}
