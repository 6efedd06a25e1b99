import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LineKind } from '../../src/contract/ring.js';
import { decodeEscapes, decodeExactly, repairJson } from '../../src/contract/text.js';
import { stringBytes } from '../../src/results/bytes.js';
import { decodeLine, decodeLines } from '../../src/results/decode.js';

/** What bpftrace's JSON writer does to a byte string (0.17 to 0.27): `\uffffffNN` for bytes outside ASCII. */
function bpftraceEscape(bytes: Uint8Array): string {
  const short: Record<number, string> = {
    8: '\\b',
    9: '\\t',
    10: '\\n',
    12: '\\f',
    13: '\\r',
    34: '\\"',
    92: '\\\\',
  };
  return [...bytes]
    .map(byte => {
      if (short[byte]) return short[byte];
      if (byte >= 0x80) return `\\uffffff${byte.toString(16)}`;
      if (byte < 0x20) return `\\u${byte.toString(16).padStart(4, '0')}`;
      return String.fromCharCode(byte);
    })
    .join('');
}

describe('text', () => {
  test('any Unicode text survives bpftrace and back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const wellFormed = Buffer.from(text).toString();
        assert.equal(decodeEscapes(bpftraceEscape(Buffer.from(wellFormed))), wellFormed);
      }),
      { numRuns: 2000, seed: 7 },
    );
  });

  test('bytes that are not UTF-8 are shown, not replaced', () => {
    assert.equal(
      decodeEscapes(bpftraceEscape(Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xc3]))),
      'a\udcffé\udcc3',
    );
    assert.equal(decodeExactly(Buffer.from([0xed, 0xa0, 0x80])), '\udced\udca0\udc80');
  });

  test('an escaped backslash before uffffff is no damaged byte', () => {
    assert.equal(decodeEscapes('\\\\uffffffc3'), '\\uffffffc3');
    assert.equal(decodeEscapes('\\\\n'), '\\n');
  });

  test('a body cut inside an escape keeps what it has', () => {
    assert.equal(decodeEscapes('abc\\'), 'abc\\');
    assert.equal(decodeEscapes('abc\\u00'), 'abc\\u00');
  });

  test('each kind of line is decoded its own way', () => {
    assert.equal(decodeLine(Buffer.from('a\\tb'), LineKind.escaped), 'a\tb');
    assert.equal(decodeLine(Buffer.from('a\\tb'), LineKind.raw), 'a\\tb');
    assert.equal(decodeLine(Buffer.from('["\\uffffffc3\\uffffffa9",1]'), LineKind.json), '["é",1]');
  });
});

describe('JSON', () => {
  test('damaged keys are repaired, and the text stays valid JSON', () => {
    const damaged = '{"\\uffffffe2\\uffffff82\\uffffffac \\"x\\" \\n": {"\\uffffffff": 2}}';
    assert.deepEqual(JSON.parse(repairJson(damaged)), { '€ "x" \n': { '\udcff': 2 } });
  });

  test('many lines at once read as each by itself does, and are simple only where JSON writes them as they are', () => {
    const bytes = fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...'ab ~[]z'), maxLength: 12 }) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
      {
        weight: 1,
        arbitrary: fc.string({ unit: fc.constantFrom(...'a"\\\t\u001b\u007f\u202eé'), maxLength: 8 }),
      },
      {
        weight: 1,
        arbitrary: fc.uint8Array({ maxLength: 8 }).map(raw => Buffer.from(raw).toString('latin1')),
      },
    );
    const line = fc.record({ text: bytes, kind: fc.constantFrom(...Object.values(LineKind)) });
    let simple = 0;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.constantFrom('utf8', 'latin1'), (lines, encoding) => {
        const parts = lines.map(({ text }) => Buffer.from(text, encoding));
        const entries = lines.map(({ kind }, i) => ({ kind, lengthBytes: parts[i]?.length ?? 0 }));
        const decoded = decodeLines(Buffer.concat(parts), entries);
        assert.deepEqual(
          decoded.lines,
          parts.map((part, i) => decodeLine(part, lines[i]?.kind ?? LineKind.raw)),
        );
        for (const text of decoded.lines) {
          assert.equal(stringBytes(text), Buffer.byteLength(JSON.stringify(text)) + 1);
          if (decoded.isSimple) assert.equal(JSON.stringify(text), `"${text}"`);
        }
        if (decoded.isSimple && lines.length > 1) simple++;
      }),
      { numRuns: 2000, seed: 20261129 },
    );
    assert.ok(simple > 100, `${simple} were simple`);
  });
});
