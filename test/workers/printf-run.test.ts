import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LINE_BYTES_MAX } from '../../src/contract/ring.js';
import { cut, readInto } from '../support/read-records.js';
import { modelReading } from '../support/record-model.js';

/**
 * Floods: runs of printf records that are a line each, with everything in between that ends such a run, into rings
 * that are too small for them, in whatever pieces they arrive.
 */
const RUNS = { numRuns: 800, seed: 12 };

const printf = (body: string) => `{"type": "printf", "data": "${body}"}`;
const body = fc
  .array(
    fc.constantFrom(
      'a',
      'bcd efg',
      ' 1234567890',
      '\\"',
      '\\\\',
      '\\t',
      '\\uffffffc3\\uffffffa9',
      '\xc3\xa9',
      '\xff',
      '\x7f~',
      '{\\"type\\": \\"',
    ),
    {
      maxLength: 9,
    },
  )
  .map(parts => parts.join(''));
const wholeLine = body.map(text => printf(`${text}\\n`));
const odd = fc.oneof(
  body.map(printf),
  fc.tuple(body, body).map(([first, second]) => printf(`${first}\\n${second}\\n`)),
  fc.constantFrom(
    '',
    printf(''),
    printf('\\n'),
    printf('\\\\n'),
    printf('\\\\\\n'),
    'bare \\n"}',
    '{"type": "map", "data": {"@n": 5}}',
    '{"type": "time", "data": "12:00\\n"}',
    '{"type": "lost_events", "data": {"events": 3}}',
  ),
);
const flood = fc
  .array(fc.tuple(fc.array(wholeLine, { maxLength: 12 }), odd), { minLength: 1, maxLength: 8 })
  .map(parts => parts.flatMap(([lines, last]) => [...lines, last]).map(record => `${record}\n`))
  .map(records => records.join(''));
const torn = fc.constantFrom(
  '',
  '',
  '{"type": "pri',
  '{"type": "printf", "data": "no end',
  '{"type": "printf", "data": "no end\\n"',
);

describe('a flood of printf records', () => {
  test('leaves the newest lines in the ring, and counts them all', () => {
    fc.assert(
      fc.property(
        fc.tuple(flood, torn).map(parts => parts.join('')),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 700, max: 4000 }),
        (written, places, capacityLines, capacityBytes) => {
          const model = modelReading(written);
          const read = readInto(cut(Buffer.from(written, 'latin1'), places), {
            capacityLines,
            capacityBytes,
          });
          assert.equal(read.dropped + read.lines.length, model.lines.length);
          assert.deepEqual(read.lines, model.lines.slice(read.dropped));
          assert.ok(read.lines.length <= capacityLines);
          assert.equal(read.lostEvents, model.lostEvents);
        },
      ),
      RUNS,
    );
  });

  test('keeps as many lines as the ring takes, when it begins and ends anywhere', () => {
    const records = Array.from({ length: 5000 }, (_, i) => `${printf(`${String(i).padStart(80)}\\n`)}\n`);
    const written = Buffer.from(records.join(''));
    const { lines, dropped } = readInto(cut(written, [100_001, 300_007, 300_008]), {
      capacityLines: 1000,
      capacityBytes: 131_072,
    });
    assert.equal(dropped, 4000);
    assert.deepEqual(
      lines,
      Array.from({ length: 1000 }, (_, i) => String(4000 + i).padStart(80)),
    );
  });

  test('cuts a line that is too long, among others that are not', () => {
    const long = 'x'.repeat(LINE_BYTES_MAX + 3);
    const written = ['before', long, 'after'].map(text => `${printf(`${text}\\n`)}\n`).join('');
    const { lines, droppedBytes } = readInto([Buffer.from(written)], {
      capacityLines: 10,
      capacityBytes: 4 * LINE_BYTES_MAX,
    });
    assert.deepEqual(lines, ['before', long.slice(0, LINE_BYTES_MAX), 'after']);
    assert.equal(droppedBytes, 3);
  });
});
