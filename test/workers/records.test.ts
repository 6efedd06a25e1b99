import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LINE_BYTES_MAX } from '../../src/contract/ring.js';
import { parseExact } from '../../src/results/decode.js';
import { boundsText, mapLines } from '../../src/results/map-text.js';
import { isHistogram, typedMap } from '../../src/results/typed-map.js';
import { reduceMap } from '../../workers/reduce-map.js';
import { fixturePath } from '../support/fixtures.js';
import { cut, read } from '../support/read-records.js';

/** What a real bpftrace wrote for test/fixtures/records/NAME.bt. */
function captured(version: string, name: string): Buffer {
  return readFileSync(fixturePath('records', `${version}-${name}.jsonl`));
}

function readCaptured(version: string, name: string) {
  const { maps, ...rest } = read([captured(version, name)]);
  return { ...rest, maps: Object.fromEntries(maps.map(([key, _type, json]) => [key, parseExact(json)])) };
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
        'é \\xff \x01 "q" \\ \t\\n',
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

    test(`${version}: maps of all kinds`, () => {
      const { lines, maps } = readCaptured(version, 'maps');
      assert.deepEqual(lines, []);
      const { '@stack': stack, ...others } = maps;
      assert.deepEqual(others, {
        '@avg': 3,
        '@big': '18446744073709551615',
        '@count': { a: 1 },
        '@h': { a: [{ min: 256, max: 511, count: 1 }], b: [{ max: -1, count: 1 }] },
        '@key': { 'é\n"q\\': 1 },
        '@l': [{ min: 10, count: 1 }],
        '@low': '-9223372036854775807',
        '@n': 1,
        '@s': 'x\ny',
        '@stats': { k: { count: 1, average: 3, total: 3 } },
        '@sum': { 'a,b,2': -7 },
        '@t': [1, 2],
      });
      // 0.27 takes the blanks out of keys.
      const [key = '', count] = Object.entries(stack as Record<string, number>)[0] ?? [];
      assert.match(key, /^\n *\S+\+\d+\n *__bpf_prog_test_run_raw_tp\+106\n,1$/);
      assert.equal(count, 1);
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
      assert.deepEqual(maps, { '@n': 4, '@m': { k: 1 }, '@i': 3 });
    });

    test(`${version}: join() ends a line that printf() began`, () => {
      const line = ['4242   /bin/echo a  b é q"\\ two', 'lines'];
      assert.deepEqual(readCaptured(version, 'execs').lines, [...line, ...line]);
    });

    test(`${version}: keys that read alike are kept apart`, () => {
      const map = readCaptured(version, 'alike').maps['@'] as Record<string, number>;
      assert.deepEqual(Object.keys(map), ['vfs_read', 'vfs_read #2', 'vfs_write']);
      assert.deepEqual(Object.values(map).sort(), [1, 2, 3]);
      assert.deepEqual(reduceMap('{"f": 4, "f": 4, "g": 5}', 12), { json: '{"g": 5}', omittedEntries: 2 });
    });

    test(`${version}: times of day as values, with quotes or without`, () => {
      const { maps } = readCaptured(version, 'unquoted');
      assert.match(JSON.stringify(maps['@at']), /^\{"x":"10:34:1\d"\}$/);
      assert.match(String(maps['@one']), /^10:34:1\d$/);
      assert.deepEqual(maps['@p'], { 'a,1': [1, version === '0.17.0' ? 2026 : '2026'] });
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
      assert.deepEqual(maps, { '@a': 1 });
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

  test('0.27.1: time series', () => {
    const { maps } = readCaptured('0.27.1', 'series');
    assert.deepEqual(Object.keys(maps), ['@i', '@k', '@t']);
    const shown = read([captured('0.27.1', 'series')])
      .maps.slice(1)
      .flatMap(([name, type, json]) => mapLines(typedMap({ name, type, json, omittedEntries: 0 })));
    assert.deepEqual(
      shown.map(line => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+/g, 'WHEN')),
      ['@k[1]: WHEN 2, WHEN 2, WHEN 1', '@t: WHEN 5, WHEN 5, WHEN 5'],
    );
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

describe('bounds of buckets', () => {
  test('inclusive integers become exclusive, be they wider than a double; labels stay', () => {
    const json = JSON.stringify([
      { max: -1 },
      { min: 1, max: 1 },
      { min: 4, max: 7 },
      { min: 10 },
    ]).replaceAll('}', ', "count": 1}');
    const typed = typedMap({ name: '@', type: 'hist', json, omittedEntries: 0 });
    assert.ok(isHistogram(typed.value));
    assert.deepEqual(
      typed.value.buckets.map(([lower, upper]) => boundsText([lower, upper])),
      ['(..,0)', '1', '[4,8)', '[10,..)'],
    );
    const wide =
      '[{"min": 9223372036854775808, "max": 18446744073709551615, "count": 1}, {"min": "low", "max": "high", "count": 1}]';
    const { value } = typedMap({ name: '@', type: 'hist', json: wide, omittedEntries: 0 });
    assert.ok(isHistogram(value));
    assert.deepEqual(value.buckets, [
      ['9223372036854775808', '18446744073709551616', 1],
      ['low', 'high', 1],
    ]);
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
