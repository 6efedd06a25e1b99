import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { mapSchema } from '../../../src/results/map-schema.js';
import { mapLines } from '../../../src/results/map-text.js';
import { fixturePath } from '../../support/fixtures.js';
import { GOLDEN_VERSIONS, goldenPrograms, runsOn, typedMaps } from '../../support/golden-maps.js';

/** Whatever bpftrace or a broken pipe makes of a record: it is read, told in text, and fits the schema. */
const outputs = GOLDEN_VERSIONS.flatMap(version =>
  goldenPrograms()
    .filter(program => runsOn(program, version))
    .map(program => ({
      version,
      program,
      bytes: readFileSync(fixturePath('maps', `${version}-${program.name}.jsonl`)),
    })),
);
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '-',
  '9999999999999999999',
  '1.5',
  'null',
  '\xff',
  '"count": ',
  '{}',
  '\\n',
];
const change = fc.record({
  at: fc.nat(),
  remove: fc.nat(6),
  insert: fc.constantFrom('', ...PIECES),
});

test('mutated output never breaks the reader', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...outputs),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (output, changes) => {
        let text = output.bytes.toString('latin1');
        for (const { at, remove, insert } of changes) {
          const place = at % text.length;
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        for (const map of typedMaps(output.version, output.program, Buffer.from(text, 'latin1'))) {
          assert.deepEqual(mapSchema.parse(map), map);
          assert.deepEqual(
            mapLines(map).filter(line => line.includes('\n')),
            [],
          );
        }
      },
    ),
    { numRuns: 400, seed: 5 },
  );
});
