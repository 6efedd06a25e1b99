import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { HostGuard } from '../../src/guard/host-guard.js';
import { parseLimits } from '../../src/guard/limits.js';

const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-proc-'));
after(() => rmSync(folder, { recursive: true }));
let made = 0;

/** A /proc with these files. */
function proc(files: Record<string, string>): string {
  const path = join(folder, String(++made));
  mkdirSync(join(path, 'pressure'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const pressure = (some: number, full: number): string =>
  `some avg10=${some} avg60=0.00 avg300=0.00 total=1\nfull avg10=${full} avg60=0.00 avg300=0.00 total=1\n`;
const CALM = {
  'pressure/cpu': pressure(12.5, 0),
  'pressure/io': pressure(3, 1.25),
  'pressure/memory': pressure(0, 0),
  loadavg: `${availableParallelism()}.00 1.00 1.00 2/300 4711\n`,
  meminfo: 'MemTotal:  4000000 kB\nMemFree: 10 kB\nMemAvailable:  2097152 kB\n',
};

describe('host guard', () => {
  test('reads what the kernel tells, and leaves out what it does not', () => {
    const guard = new HostGuard({ load: 1 }, proc(CALM));
    assert.deepEqual(guard.readings(), { cpu: 12.5, io: 1.25, memory: 0, load: 1, available: 2048 });
    const old = new HostGuard({ memory: 0, available: 1 }, proc({ loadavg: '0.5 1 1 2/300 4711' }));
    assert.deepEqual(Object.keys(old.readings()), ['load']);
    assert.equal(old.distress(), undefined, 'what is not told is no distress');
  });

  for (const [limits, changed, distress] of [
    ['cpu:12.5,io:2,memory:40,load:1,available:2048', {}, undefined],
    ['cpu:12', {}, 'processors are waited for 12.5 % of the time (the limit is 12)'],
    ['io:1', {}, 'everything waits for input and output 1.25 % of the time (the limit is 1)'],
    [
      'memory:40',
      { 'pressure/memory': pressure(90, 40.1) },
      'everything waits for memory 40.1 % of the time (the limit is 40)',
    ],
    ['load:0.9', {}, 'the load average is 1 for each processor (the limit is 0.9)'],
    ['available:2049', {}, '2048 MiB of memory are available (the limit is 2049)'],
    ['off', { 'pressure/memory': pressure(100, 100) }, undefined],
  ] as const) {
    test(`${limits}: ${distress ?? 'no distress'}`, () => {
      assert.equal(
        new HostGuard(parseLimits(limits) ?? {}, proc({ ...CALM, ...changed })).distress(),
        distress,
      );
    });
  }

  test('limits that are none are not taken', () => {
    for (const text of [
      '',
      'on',
      'memory',
      'memory:',
      'memory:x',
      'memory:-1',
      'memory:1,memory:2',
      'swap:1',
      'load:1;cpu:1',
    ])
      assert.equal(parseLimits(text), undefined, text);
  });
});
