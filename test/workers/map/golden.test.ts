import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fixturePath } from '../../support/fixtures.js';
import { GOLDEN_VERSIONS, goldenPrograms, goldenText, runsOn, typedMaps } from '../../support/golden-maps.js';

/** What bpftrace wrote, and what is made of it, both as files: a change of one is a change of the other. */
describe('maps that bpftrace wrote', () => {
  for (const version of GOLDEN_VERSIONS) {
    for (const program of goldenPrograms().filter(known => runsOn(known, version))) {
      test(`${version}: ${program.name}`, () => {
        const captured = readFileSync(fixturePath('maps', `${version}-${program.name}.jsonl`));
        const golden = fixturePath('maps', `${version}-${program.name}.json`);
        const typed = goldenText(typedMaps(version, program, captured));
        if (process.env.UPDATE_GOLDEN) writeFileSync(golden, typed);
        assert.equal(typed, readFileSync(golden, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
      });
    }
  }
});
