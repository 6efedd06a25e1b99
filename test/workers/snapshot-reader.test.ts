import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SnapshotMethod } from '../../src/contract/snapshot.js';
import { SnapshotReader } from '../../workers/snapshot-reader.js';

/** What is printed: `(` and `)` our marks, a letter the map of that name, `.` something else, `_` a blank line, `!` the signal. */
interface Case {
  what: string;
  method: Partial<SnapshotMethod>;
  printed: string;
  /** Maps that are the program's own, in the order in which that becomes certain. */
  own: string;
  taken: string;
}

const addition = { text: '', begin: '(', end: ')' };
const CASES: readonly Case[] = [
  { what: 'between marks', method: { addition }, printed: 'a!(ab).b', own: 'ab', taken: 'ab' },
  { what: 'no maps between marks', method: { addition }, printed: '!().', own: '', taken: '' },
  { what: 'lines between marks', method: { addition }, printed: '!(a..b)', own: '', taken: 'ab' },
  { what: 'printed by the program too', method: { addition }, printed: '!(ab.a)', own: 'a', taken: 'ab' },
  { what: 'the first mark is lost', method: { addition }, printed: '!ab)', own: 'ab', taken: 'none' },
  { what: 'the second mark is lost', method: { addition }, printed: '!(ab.!(ab)', own: 'ab', taken: 'ab' },
  { what: 'a blank line ends it', method: { addition }, printed: '!(a_ab', own: 'ab', taken: 'none' },
  { what: 'one run', method: {}, printed: 'a.!ab.ab', own: 'aab', taken: 'ab' },
  { what: 'some are empty', method: { maps: 3 }, printed: '!ab.', own: '', taken: 'ab' },
  { what: 'before the maps at the end', method: {}, printed: '!ab_ab', own: 'ab', taken: 'ab' },
  { what: 'only those at the end', method: {}, printed: '!_ab', own: 'ab', taken: '' },
  {
    what: 'right behind one of the program',
    method: { printsMaps: true },
    printed: '!aab.',
    own: 'a',
    taken: 'ab',
  },
  {
    what: 'behind a run of the program',
    method: { printsMaps: true },
    printed: '!a.ab.',
    own: 'a',
    taken: 'ab',
  },
  {
    what: 'before a run of the program',
    method: { printsMaps: true },
    printed: '!ab.a.',
    own: 'a',
    taken: 'ab',
  },
];

describe('which of the maps that are printed are a snapshot', () => {
  for (const { what, method, printed, own, taken } of CASES) {
    test(`${what}: ${printed}`, () => {
      const reader = new SnapshotReader({ maps: 2, printsMaps: false, ...method });
      let programs = '';
      reader.programMap = ({ name }) => {
        programs += name;
      };
      for (const character of printed) {
        if (character === '!') reader.expect();
        else if (character === '_') reader.blank();
        else if (/[a-z]/.test(character)) {
          if (!reader.map({ name: character, type: 'map', json: '1' })) programs += character;
        } else if (!reader.mark(character)) reader.other();
      }
      assert.equal(
        reader
          .take(false)
          ?.map(({ name }) => name)
          .join('') ?? 'none',
        taken,
      );
      assert.equal(programs, own);
    });
  }

  test('without marks and with nothing else printed, bpftrace that sleeps again has printed them all', () => {
    const reader = new SnapshotReader({ maps: 2, printsMaps: false });
    reader.expect();
    assert.equal(reader.take(true), undefined, 'it may not have seen the signal yet');
    reader.map({ name: 'a', type: 'map', json: '1' });
    assert.equal(reader.take(false), undefined);
    assert.deepEqual(
      reader.take(true)?.map(({ name }) => name),
      ['a'],
    );
    assert.equal(reader.map({ name: 'a', type: 'map', json: '1' }), false);
  });
});
