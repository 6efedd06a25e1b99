import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readMaps } from '../../src/results/read-maps.js';
import { encodeMap, onBoard } from '../../workers/map/encode-map.js';
import { typeMap } from '../../workers/map/type-map.js';
import { cut, NOTHING_KNOWN, read } from '../support/read-records.js';
import { modelReading } from '../support/record-model.js';

const RUNS = { numRuns: 2000, seed: 11 };

/** A byte string as bpftrace's JSON writer writes it; a character of these strings is a byte. */
function escaped(bytes: string): string {
  return [...bytes]
    .map(char => {
      const code = char.charCodeAt(0);
      if (char === '"' || char === '\\') return `\\${char}`;
      const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
      if (short !== undefined) return short;
      if (code >= 0x80) return `\\uffffff${code.toString(16)}`;
      return code < 0x20 ? `\\u${code.toString(16).padStart(4, '0')}` : char;
    })
    .join('');
}

const PIECES = [
  'a',
  'bc ',
  ' ',
  '"',
  '\\',
  '\\n',
  'n',
  '\n',
  '\n',
  '\t',
  '\x01',
  '\xc3\xa9',
  '\xc3',
  '\xa9',
  '\xff',
];
const bytes = fc.oneof(
  fc
    .array(fc.constantFrom(...PIECES, '\xe2\x82\xac', '\xef\xbb\xbf', '{"type": "'), { maxLength: 6 })
    .map(list => list.join('')),
  fc.uint8Array({ maxLength: 8 }).map(list => Buffer.from(list).toString('latin1')),
);
const quoted = bytes.map(text => `"${escaped(text)}"`);
const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String);
const scalar = fc.oneof(integer, quoted);
const bucket = fc.constantFrom(
  '{"min": 4, "max": 7, "count": 2}',
  '{"max": -1, "count": 1}',
  '{"min": 10, "count": 3}',
);
const buckets = fc.array(bucket, { maxLength: 3 }).map(list => `[${list.join(', ')}]`);
const statistics = integer.map(total => `{"count": 2, "average": 1, "total": ${total}}`);
const tuple = fc.array(scalar, { minLength: 1, maxLength: 3 }).map(list => `[${list.join(',')}]`);
const struct = scalar.map(value => `{ "weight": ${value} }`);
const keyed = (value: fc.Arbitrary<string>) =>
  fc
    .array(fc.tuple(quoted, value), { maxLength: 3 })
    .map(list => `{${list.map(entry => entry.join(': ')).join(', ')}}`);

const text = fc.tuple(fc.constantFrom('printf', 'printf', 'time', 'cat', 'join', 'value'), quoted);
const value = fc.tuple(fc.constant('value'), fc.oneof(integer, tuple, struct));
const map = fc
  .tuple(
    fc.constantFrom('@', '@a', '@long_name'),
    fc.oneof(
      fc.tuple(fc.constant('map'), fc.oneof(scalar, keyed(scalar), tuple)),
      fc.tuple(fc.constant('hist'), fc.oneof(buckets, keyed(buckets))),
      fc.tuple(fc.constant('stats'), fc.oneof(statistics, keyed(statistics))),
    ),
  )
  .map(([name, [type, json]]): [string, string] => [type, `{"${name}": ${json}}`]);
const withData = fc.oneof(text, value, map).map(([type, data]) => `{"type": "${type}", "data": ${data}}`);
const other = fc.oneof(
  fc.constantFrom(
    '',
    '{"type": "odd", "data": 5}',
    '{"type": "odder"}',
    '{"type": "attached_probes", "data": {"probes": 7}}',
  ),
  fc.constantFrom('4242 bpftrace', '{', 'x{"type": "printf", "data": "no"}', '\xc3\xa9', '\xff\\n"'),
  fc.nat(99).map(count => `{"type": "lost_events", "count": ${count}, "data": {"events": ${count}}}`),
  fc
    .nat(2)
    .map(
      col =>
        `{"type": "helper_error", "msg": "No \\"such\\"", "helper": "probe_read", "retcode": -2, "line": 1, "col": ${col}}`,
    ),
  quoted.map(said => `{"type": "warnf", "msg": ${said}, "filename": "stdin", "line": 3, "col": 4}`),
);
const output = fc
  .array(fc.oneof({ weight: 4, arbitrary: withData }, { weight: 1, arbitrary: other }), { maxLength: 14 })
  .map(records => records.map(record => `${record}\n`).join(''));

describe('any sequence of records', () => {
  test('becomes what the model makes of it', () => {
    fc.assert(
      fc.property(output, written => {
        const { droppedBytes, truncated, ...reading } = read([Buffer.from(written, 'latin1')]);
        const { maps, ...model } = modelReading(written);
        const typed = maps.map(([name, type, json]) => typeMap(name, type, json, NOTHING_KNOWN));
        const encoded = typed.map(map => onBoard(encodeMap(map, Number.POSITIVE_INFINITY)));
        assert.deepEqual(reading, { ...model, maps: readMaps(encoded) });
        assert.deepEqual([droppedBytes, truncated], [0, 0]);
      }),
      RUNS,
    );
  });

  test('is read the same in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(output, fc.array(fc.nat(), { maxLength: 12 }), (written, places) => {
        const whole = Buffer.from(written, 'latin1');
        assert.deepEqual(read(cut(whole, places)), read([whole]));
      }),
      RUNS,
    );
  });
});
