import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { programMaps } from '../../src/bpftrace/language/program-maps.js';
import { LINE_BYTES_MAX } from '../../src/contract/ring.js';
import { readingOf } from '../../workers/map/reading.js';
import { fixturePath } from '../support/fixtures.js';
import { cut, read } from '../support/read-records.js';

/** What a real bpftrace wrote for test/fixtures/records/NAME.bt. */
function captured(version: string, name: string): Buffer {
  return readFileSync(fixturePath('records', `${version}-${name}.jsonl`));
}

function readCaptured(version: string, name: string) {
  const program = readFileSync(fixturePath('records', `${name}.bt`), 'utf8');
  const minor = Number(version.split('.')[1]);
  const reading = readingOf(programMaps(program), { major: 0, minor });
  const { maps, ...rest } = read([captured(version, name)], reading);
  return { ...rest, maps: Object.fromEntries(maps.map(({ name, ...map }) => [name, map])) };
}

const VERSIONS = ['0.17.0', '0.23.2', '0.27.1'];

describe('captured from bpftrace', () => {
  for (const version of VERSIONS) {
    test(`${version}: text of all kinds, joined and split as a terminal shows it`, () => {
      const { lines, maps } = readCaptured(version, 'text');
      const stack = lines.splice(11, 4);
      assert.deepEqual(lines, [
        'a',
        '',
        'b',
        '',
        'x1',
        'y [1,"q\\"\\n",-3]',
        'é \\xff \\u0001 "q" \\ \t\\n',
        '2026 half s',
        't',
        '5',
        '[1,"é"]',
        'Linux',
        'no end',
      ]);
      assert.deepEqual([stack[0], stack[3]], ['', '']);
      assert.deepEqual(maps, {});
    });

    test(`${version}: a map that is printed ends the line before it and keeps its place`, () => {
      const { lines, maps } = readCaptured(version, 'interleaved');
      assert.deepEqual(lines, [
        'header',
        'tick: ',
        '@n: 2',
        '@m: {"k": 1}',
        'tick: ',
        '@n: 3',
        '@m: {"k": 1}',
        'tick: ',
        '@n: 4',
        '@m: {"k": 1}',
        '',
        'before the maps:',
      ]);
      assert.deepEqual(
        [maps['@n']?.value, maps['@m']?.entries, maps['@i']?.value],
        [4, [{ key: ['k'], value: 1 }], 3],
      );
    });

    test(`${version}: join() ends a line that printf() began`, () => {
      const line = ['4242   /bin/echo a  b é q"\\ two', 'lines'];
      assert.deepEqual(readCaptured(version, 'execs').lines, [...line, ...line]);
    });

    test(`${version}: lost events are counted`, () => {
      const { lines, maps, lostEvents, attachedProbes } = readCaptured(version, 'lost');
      assert.deepEqual(
        [lostEvents, attachedProbes],
        [{ '0.17.0': 83341, '0.23.2': 66642, '0.27.1': 55028 }[version], 2],
      );
      assert.equal(lines.length, 5, 'a stack, with the blank lines around it');
      assert.deepEqual(Object.keys(maps), ['@n']);
    });

    test(`${version}: the same, wherever it is cut into pieces`, () => {
      for (const name of ['text', 'maps', 'interleaved', 'execs', 'lost']) {
        const whole = captured(version, name);
        const expected = read([whole]);
        assert.deepEqual(read(cut(whole, [...whole.keys()])), expected, 'byte by byte');
        for (const place of whole.keys())
          assert.deepEqual(read(cut(whole, [place])), expected, `cut at ${place}`);
      }
    });
  }

  for (const version of ['0.17.0', '0.23.2']) {
    test(`${version}: half a map, of a bpftrace that aborted, is shown and replaces nothing`, () => {
      const { lines, maps } = readCaptured(version, 'aborted');
      assert.deepEqual(lines, ['seen', '@a: 1', '@a: 1', '{"type": "map", "data": {"@cgroup": {']);
      assert.deepEqual([Object.keys(maps), maps['@a']?.value], [['@a'], 1]);
    });
  }

  test('0.23.2: what iter: prints is bare text', () => {
    const { lines, maps } = readCaptured('0.23.2', 'tasks');
    assert.deepEqual(lines, ['4242 bpftrace!', 'done']);
    assert.deepEqual(maps, {});
  });

  const FULL =
    "stdin:3:18: WARNING: Map full; can't update element. Try increasing max_map_keys config (map_update_elem, -7)";
  const ZERO =
    'stdin:3:43: WARNING: Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result.';

  test('0.23.2 and 0.27.1: a warning that repeats is a line once, and then a number', () => {
    assert.deepEqual(readCaptured('0.23.2', 'warnings').lines, ['before ', FULL, `${FULL}: 5 times`]);
    assert.deepEqual(readCaptured('0.27.1', 'warnings').lines, [
      'before ',
      FULL,
      ZERO,
      `${FULL}: 5 times`,
      `${ZERO}: 5 times`,
    ]);
  });

  test('0.27.1: warnf() and errorf() are lines', () => {
    assert.deepEqual(readCaptured('0.27.1', 'said').lines, [
      'stdin:1:9: WARNING: low on disk "a"',
      'stdin:1:45: ERROR: 2',
      'done',
    ]);
  });
});

describe('not seen yet, but written so in the source after 0.27', () => {
  test('counters without data and without a blank', () => {
    const { lines, attachedProbes, lostEvents } = read([
      Buffer.from(
        '{"type":"attached_probes", "count":3}\n{"type":"lost_events", "count":40}\n{"type":"lost_events", "count":2}\n',
      ),
    ]);
    assert.deepEqual({ lines, attachedProbes, lostEvents }, { lines: [], attachedProbes: 3, lostEvents: 42 });
  });
});

describe('long ones', () => {
  const letters = 'x'.repeat(LINE_BYTES_MAX + 10);

  test('a line longer than the ring takes is cut and counted, in one record or in many', () => {
    const whole = read([Buffer.from(`{"type": "printf", "data": "${letters}\\nnext\\n"}\n`)]);
    const pieces = read([
      Buffer.from(
        `${[...letters].map(letter => `{"type": "printf", "data": "${letter}"}\n`).join('')}{"type": "printf", "data": "\\nnext\\n"}\n`,
      ),
    ]);
    for (const { lines, truncated, droppedBytes } of [whole, pieces]) {
      assert.deepEqual(lines, ['x'.repeat(LINE_BYTES_MAX), 'next']);
      assert.deepEqual([truncated, droppedBytes], [1, 10]);
    }
  });

  test('many records without a newline take time in proportion', () => {
    const count = 200_000;
    const output = Buffer.from('{"type": "printf", "data": "."}\n'.repeat(count));
    const begun = performance.now();
    read([output]);
    const ms = performance.now() - begun;
    // Measured 0.08 s, and 7 s with a search through the rest of the chunk for each record.
    assert.ok(ms < 2000, `${ms} ms`);
  });
});
