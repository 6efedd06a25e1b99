import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Refusal } from '../../src/contract/errors.js';
import { initRing, LineKind, type RingViews, ringBytes } from '../../src/contract/ring.js';
import { visible } from '../../src/contract/visible.js';
import { jsonBytes, shortened, stringBytes } from '../../src/results/bytes.js';
import { type Excerpt, matching, overview, page } from '../../src/results/excerpt.js';
import { compilePattern } from '../../src/results/line-search.js';
import { RingWriter } from '../../workers/ring-writer.js';

function ringOf(lines: readonly string[], capacityLines = 10_000): RingViews {
  const bytes = 4 * 1024 * 1024;
  const ring = initRing(new ArrayBuffer(ringBytes(capacityLines, bytes)), capacityLines, bytes);
  const writer = new RingWriter(ring);
  for (const line of lines) {
    const text = Buffer.from(line);
    writer.stage(0, text.length, LineKind.raw);
    writer.commit(text);
  }
  return ring;
}

/** What the lines of an excerpt cost in a reply. */
function cost({ output, tail, search }: Excerpt): number {
  return jsonBytes(output) + jsonBytes(tail?.output ?? []) + (search ? jsonBytes(search.offsets) : 0) - 6;
}

const line = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .string({ unit: 'grapheme', maxLength: 60 })
      .map(text => (visible(text) === text ? text : text.replace(/[^ -[\]-~]/g, ''))),
  },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 20_000 }).map(length => 'x"'.repeat(length / 2)) },
);
const lines = fc.array(line, { maxLength: 150, size: 'max' });
const room = fc.record({
  bytes: fc.integer({ min: 400, max: 20_000 }),
  lines: fc.integer({ min: 1, max: 200 }),
});

describe('excerpts', () => {
  test('paging by next_offset gives every line once, in order, and only what does not fit alone is shortened', () => {
    fc.assert(
      fc.property(lines, room, (all, size) => {
        const ring = ringOf(all);
        const seen: string[] = [];
        for (let offset = 0; ; ) {
          const given = page(ring, offset, size);
          assert.equal(given.offset, offset);
          assert.ok(cost(given) <= size.bytes, `${cost(given)} bytes of ${size.bytes}`);
          assert.equal(given.shortened > 0, stringBytes(all[offset] ?? '') > size.bytes);
          seen.push(...given.output.map((text, i) => (i < given.shortened ? (all[offset] ?? '') : text)));
          offset = given.nextOffset;
          if (!given.hasMore) break;
          assert.ok(given.output.length > 0, 'a page that has more behind it is never empty');
        }
        assert.deepEqual(seen, all);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('an overview is everything, or both ends with the gap between them told', () => {
    fc.assert(
      fc.property(lines, room, (all, size) => {
        const given = overview(ringOf(all), size);
        assert.ok(cost(given) <= size.bytes + 2, `${cost(given)} bytes of ${size.bytes}`);
        assert.equal(given.nextOffset, given.output.length);
        assert.equal(given.hasMore, given.nextOffset < all.length);
        if (given.tail) {
          assert.ok(given.tail.offset >= given.nextOffset);
          assert.equal(given.tail.offset + given.tail.output.length, all.length);
        }
        if (given.shortened === 0) {
          assert.deepEqual(given.output, all.slice(0, given.nextOffset));
          assert.deepEqual(given.tail?.output ?? [], all.slice(given.tail?.offset ?? all.length));
        }
        if (jsonBytes(all) <= size.bytes && all.length <= size.lines) assert.deepEqual(given.output, all);
        const { tail = { offset: all.length, output: [] } } = given;
        for (const [from, shown] of [
          [given.offset, given.output],
          [tail.offset, tail.output],
        ] as const)
          shown.forEach((text, i) => {
            const whole = /whole: offset (\d+), limit 1/.exec(text)?.[1];
            if (whole !== undefined) assert.equal(Number(whole), from + i);
          });
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test('the matches of all pages are the lines that match', () => {
    const pattern = compilePattern('[aeiou]x?|"');
    fc.assert(
      fc.property(lines, room, (all, size) => {
        const ring = ringOf(all);
        const seen: number[] = [];
        for (let offset = 0; ; ) {
          const given = matching(ring, offset, pattern, size);
          assert.ok(cost(given) <= size.bytes, `${cost(given)} bytes of ${size.bytes}`);
          // A busy machine may end a search early; it then goes on behind what it has looked at.
          const searched = given.search?.searched ?? 0;
          assert.ok(searched > 0 || offset === all.length);
          assert.equal(
            given.search?.matched,
            all.slice(offset, offset + searched).filter(text => /[aeiou]x?|"/.test(text)).length,
          );
          seen.push(...(given.search?.offsets ?? []));
          offset = given.nextOffset;
          if (!given.hasMore) break;
        }
        assert.deepEqual(
          seen,
          all.flatMap((text, i) => (/[aeiou]x?|"/.test(text) ? [i] : [])),
        );
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  test('what was overwritten is not looked for', () => {
    const ring = ringOf(
      Array.from({ length: 1000 }, (_, i) => `line ${i}`),
      100,
    );
    const { offset, output, search } = matching(ring, undefined, compilePattern('[05]0$'), {
      bytes: 1000,
      lines: 10,
    });
    assert.equal(offset, 900);
    assert.deepEqual(output, ['line 900', 'line 950']);
    assert.deepEqual(search, { matched: 2, searched: 100, offsets: [900, 950] });
    assert.equal(overview(ring, { bytes: 1000, lines: 10 }).offset, 900);
  });

  test('a search that takes long stops in time and can be continued', () => {
    // Too many states for RE2's automaton, so that every character costs about a microsecond.
    const slow = compilePattern('(a.{20}|b.{20}){2}[cd]');
    const ring = ringOf(
      Array.from({ length: 2000 }, (_, i) =>
        (i * 2_654_435_761).toString(2).replaceAll('0', 'a').replaceAll('1', 'b').repeat(40),
      ),
    );
    const begun = performance.now();
    const first = matching(ring, 0, slow, { bytes: 1000, lines: 10 });
    const tookMs = performance.now() - begun;
    const searched = first.search?.searched ?? 0;
    assert.ok(searched > 0 && searched < 2000, `${searched} lines in ${tookMs} ms`);
    assert.deepEqual([first.hasMore, first.nextOffset], [true, searched]);
    assert.ok(tookMs < 2000, `${tookMs} ms`);
    assert.ok((matching(ring, first.nextOffset, slow, { bytes: 1000, lines: 10 }).search?.searched ?? 0) > 0);
  });

  for (const [why, source] of [
    ['no regular expression', '('],
    ['lookahead', '(?=a)'],
    ['a back reference', '(a)\\1'],
    ['too many repetitions', '(.{100}){10}'],
    ['too long', 'a'.repeat(1000)],
  ] as const) {
    test(`an expression that is refused: ${why}`, () => {
      assert.throws(
        () => compilePattern(source),
        error => error instanceof Refusal && error.code === 'invalid_argument' && error.next.length > 0,
      );
    });
  }

  test('shortening never goes above its bytes and never splits a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.double({ min: 40, max: 600, noNaN: true }),
        (text, bytes) => {
          const short = shortened(text, bytes, leftOut => `…[+${leftOut}]`);
          if (stringBytes(text) <= bytes) assert.equal(short, text);
          else assert.ok(stringBytes(short) <= bytes && /…\[\+\d+\]$/.test(short), short);
          const kept = short.replace(/…\[\+\d+\]$/, '');
          assert.ok(text.startsWith(kept) && !/[\ud800-\udbff]$/.test(kept));
        },
      ),
      { numRuns: 100, seed: 4 },
    );
  });
});
