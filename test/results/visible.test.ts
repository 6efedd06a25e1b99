import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeExactly } from '../../src/contract/text.js';
import { revealed, visible, visibleIn } from '../../src/contract/visible.js';
import { createEngine } from '../../src/engine/index.js';
import { seeded } from '../support/random.js';
import { BPFTRACE } from '../support/server.js';

/** By Unicode's own classes, apart from what the code says of them: control, format, separators, lone surrogates. */
const LIVE = /[^\P{C}\t\p{Co}\p{Cn}]|[\u2028\u2029]/u;

describe('what was traced is shown', () => {
  for (const [text, shown] of [
    ['plain, C:\\Users\\me, ^\\d+$, é, 日本, 🙂', 'plain, C:\\Users\\me, ^\\d+$, é, 日本, 🙂'],
    ['a\tb', 'a\tb'],
    ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
    ['evil\u202egpj.exe', 'evil\\u202egpj.exe'],
    ['\\u202e', '\\\\u202e'],
    ['\\\u202e', '\\\\\\u202e'],
    ['\\xff', '\\\\xff'],
    ['\\x41', '\\x41'],
    ['\u{e0041}\ufeff', '\\u{e0041}\\ufeff'],
    ['a\nb', 'a\\u000ab'],
  ] as const) {
    test(JSON.stringify(text), () => {
      assert.equal(visible(text), shown);
      assert.equal(revealed(shown), text);
    });
  }

  test('any bytes come without a live character, and can be had back', () => {
    const nasty = fc.constantFrom(0x5c, 0x75, 0x78, 0x32, 0x1b, 0xe2, 0x80, 0xae, 0xff, 0x30, 0x65);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(nasty, { maxLength: 40 }), (bytes, more) => {
        const text = decodeExactly(Uint8Array.from([...bytes, ...more]));
        const shown = visible(text);
        assert.equal(revealed(shown), text);
        assert.doesNotMatch(shown, LIVE);
      }),
      { numRuns: 5000, seed: 5 },
    );
    assert.equal(visible('\\'.repeat(500_000)).length, 500_000, 'in no time');
    assert.deepEqual(visibleIn({ 'a\u202e': ['\u001b', 1, null] }, visible), {
      'a\\u202e': ['\\u001b', 1, null],
    });
  });

  test('arbitrary bytes that a real program prints and counts, likewise', async () => {
    const random = seeded(11);
    const engine = createEngine({ bpftrace: BPFTRACE });
    try {
      const me = engine.as('me');
      for (let run = 0; run < 4; run++) {
        const bytes = Buffer.from(Array.from({ length: 40 }, () => 1 + random.below(255))).filter(
          byte => byte !== 10 && byte !== 37,
        );
        const literal = [...bytes].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('');
        const id = me.submit({
          program: `BEGIN { printf("${literal}\\n"); @["\\033[2J"] = "\\342\\200\\256x"; exit(); }`,
        });
        await me.untilEnded(id, { boundMs: 20_000 });
        const result = me.result(id);
        assert.equal(result.status, 'completed', JSON.stringify(result));
        const [line = ''] = result.output;
        assert.doesNotMatch(JSON.stringify([result.output, result.maps]), LIVE);
        assert.doesNotMatch(line, LIVE);
        assert.equal(revealed(line), decodeExactly(bytes));
        assert.match(JSON.stringify(result.maps), /\\\\u001b\[2J.*\\\\u202ex/);
      }
    } finally {
      await engine.close();
    }
  });
});
