import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setImmediate as breathe } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import {
  initRing,
  LineKind,
  RingViews,
  ringBytes,
  sealedRing,
  sealedWhileWritten,
} from '../../src/contract/ring.js';
import { linesDropped, linesTotal, readLines } from '../../src/results/ring-reader.js';
import { RingWriter } from '../../workers/ring-writer.js';
import { seeded } from '../support/random.js';
import { faultOf, lineOf } from '../support/ring-flood.js';

const LINES_FLOODED = 300_000;

function newRing(capacityLines: number, capacityBytes: number): RingViews {
  return initRing(
    new SharedArrayBuffer(ringBytes(capacityLines, capacityBytes)),
    capacityLines,
    capacityBytes,
  );
}

describe('ring, one thread', () => {
  test('agrees with a plain array that drops its oldest lines, whatever the sizes of runs, gaps and lines', () => {
    const run = fc.array(
      fc.record({
        gap: fc.nat(9),
        text: fc.string({ maxLength: 40, unit: 'grapheme-ascii' }),
        times: fc.constantFrom(1, 1, 1, 9),
      }),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(
        fc.array(run, { maxLength: 30 }),
        fc.integer({ min: 1, max: 25 }),
        fc.integer({ min: 512, max: 3000 }),
        (runs, capacityLines, capacityBytes) => {
          const ring = newRing(capacityLines, capacityBytes);
          const writer = new RingWriter(ring);
          const all: string[] = [];
          for (const lines of runs) {
            let source = '';
            for (const { gap, text: part, times } of lines) {
              const text = part.repeat(times);
              source += '#'.repeat(gap);
              writer.stage(source.length, text.length, LineKind.raw);
              source += text;
              all.push(text);
            }
            writer.commit(Buffer.from(source));
            assert.equal(linesTotal(ring), all.length);
            const dropped = linesDropped(ring);
            assert.ok(all.length - dropped <= capacityLines, 'never more lines than the capacity');
            assert.ok(all.length - dropped >= 1, 'the newest line is always there');
            assert.deepEqual(readLines(ring, 0, 1000).lines, all.slice(dropped));
            assert.deepEqual(readLines(new RingViews(sealedRing(ring)), 0, 1000).lines, all.slice(dropped));
          }
        },
      ),
      { numRuns: 400, seed: 20261122 },
    );
  });

  test('keeps as many lines as its capacity when their bytes fit', () => {
    const ring = newRing(100, 4096);
    const writer = new RingWriter(ring);
    for (let i = 0; i < 1000; i++) {
      const bytes = Buffer.from(`line ${i}`);
      writer.stage(0, bytes.length, LineKind.raw);
      writer.commit(bytes);
    }
    assert.equal(linesDropped(ring), 900);
    assert.equal(readLines(ring, 0, 1000).lines[0], 'line 900');
  });

  test('a slice begins where it was asked for, and later when that is overwritten', () => {
    const ring = newRing(10, 4096);
    const writer = new RingWriter(ring);
    const source = Buffer.from('0123456789ABCDEFGHIJ');
    for (let i = 0; i < source.length; i++) writer.stage(i, 1, LineKind.raw);
    writer.commit(source);
    assert.deepEqual(readLines(ring, 15, 3), {
      lines: ['F', 'G', 'H'],
      offset: 15,
      truncated: [],
      isSimple: true,
    });
    assert.deepEqual(readLines(ring, 3, 2), { lines: ['A', 'B'], offset: 10, truncated: [], isSimple: true });
    assert.deepEqual(readLines(ring, 20, 2), { lines: [], offset: 20, truncated: [], isSimple: true });
    assert.deepEqual(readLines(ring, 12, 0), { lines: [], offset: 12, truncated: [], isSimple: true });
  });

  test('sequence numbers and positions beyond 32 bits', () => {
    // A writer that has been at it for long: its private counters are moved, as a week of flooding would.
    const ring = newRing(8, 256);
    const writer = new RingWriter(ring);
    const start = 2 ** 33 + 5;
    Object.assign(writer, { head: start, tail: start, position: 2 ** 40 + 3 });
    for (let i = 0; i < 50; i++) {
      const bytes = Buffer.from(lineOf(start + i, i % 7));
      writer.stage(0, bytes.length, LineKind.raw);
      writer.commit(bytes);
    }
    assert.equal(linesTotal(ring), start + 50);
    const { lines, offset } = readLines(ring, 0, 100);
    assert.equal(lines.length, 8);
    for (const [i, line] of lines.entries()) assert.equal(faultOf(line, offset + i), undefined);
  });

  test('a ring that does not fit its buffer is refused', () => {
    assert.throws(() => initRing(new ArrayBuffer(100), 10, 100), /does not fit/);
  });
});

describe('ring, two threads', () => {
  for (const [seed, capacityLines, capacityBytes, longest] of [
    [5, 2000, 131_072, 120],
    [6, 7, 4096, 200],
  ] as const) {
    test(`a copy that is sealed under a flood is whole (seed ${seed}, ${capacityLines} lines)`, async t => {
      const ring = newRing(capacityLines, capacityBytes);
      const worker = new Worker(new URL('../support/ring-flood.js', import.meta.url), {
        workerData: { ring: ring.buffer, lines: LINES_FLOODED / 2, seed, longest },
      });
      let done = false;
      const exited = once(worker, 'exit').then(() => {
        done = true;
      });
      let copies = 0;
      let checked = 0;
      let total = 0;
      while (!done) {
        const copy = new RingViews(sealedWhileWritten(ring));
        assert.ok(linesTotal(copy) >= total);
        total = linesTotal(copy);
        const { lines, offset } = readLines(copy, 0, capacityLines + 1);
        assert.deepEqual([offset, offset + lines.length], [linesDropped(copy), total]);
        for (const [i, line] of lines.entries()) assert.equal(faultOf(line, offset + i), undefined);
        checked += lines.length;
        copies++;
        await breathe();
      }
      await exited;
      assert.equal(linesTotal(new RingViews(sealedWhileWritten(ring))), LINES_FLOODED / 2);
      assert.ok(checked > 0);
      t.diagnostic(`${copies} copies, ${checked} lines checked`);
    });
  }

  for (const [seed, capacityLines, capacityBytes, longest] of [
    [1, 1000, 65_536, 120],
    [2, 10_000, 1_048_576, 60],
    [3, 7, 4096, 200],
    [4, 500, 2048, 90],
  ] as const) {
    test(`no torn, missing or swapped line under a flood (seed ${seed}, ${capacityLines} lines, ${capacityBytes} bytes)`, async t => {
      const ring = newRing(capacityLines, capacityBytes);
      const worker = new Worker(new URL('../support/ring-flood.js', import.meta.url), {
        workerData: { ring: ring.buffer, lines: LINES_FLOODED, seed, longest },
      });
      let done = false;
      const exited = once(worker, 'exit').then(() => {
        done = true;
      });
      const random = seeded(seed * 1000);
      let looks = 0;
      let checked = 0;
      let overtaken = 0;
      let offset = 0;
      let gaps = 0;
      while (!done || offset < linesTotal(ring)) {
        const total = linesTotal(ring);
        // Now and then from the very beginning, where the writer is about to overwrite; else on from the last one.
        const from = random.below(4) === 0 ? linesDropped(ring) : offset;
        const slice = readLines(ring, from, 1 + random.below(1000));
        looks++;
        assert.ok(slice.offset >= from && slice.offset <= LINES_FLOODED);
        for (const [i, line] of slice.lines.entries())
          assert.equal(faultOf(line, slice.offset + i), undefined);
        checked += slice.lines.length;
        if (from === offset) {
          if (slice.offset > offset) gaps += slice.offset - offset;
          offset = slice.offset + slice.lines.length;
        } else if (slice.offset > from) {
          overtaken++;
        }
        assert.ok(total <= linesTotal(ring));
        if (looks % 50 === 0) await breathe();
      }
      await exited;
      assert.equal(linesTotal(ring), LINES_FLOODED);
      assert.ok(checked > 0);
      t.diagnostic(
        `${looks} looks, ${checked} lines checked, ${gaps} skipped, overtaken while copying ${overtaken} times`,
      );
    });
  }
});
