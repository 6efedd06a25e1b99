import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atLeast, type BpftraceVersion, parseVersion } from '../../src/bpftrace/version.js';

function version(text: string): BpftraceVersion {
  const parsed = parseVersion(text);
  assert.ok(parsed, `${text} is a version`);
  return parsed;
}

describe('parseVersion', () => {
  const cases: [output: string, major: number, minor: number, patch: number, text: string][] = [
    ['bpftrace v0.17.0\n', 0, 17, 0, '0.17.0'],
    ['bpftrace v0.23.2', 0, 23, 2, '0.23.2'],
    ['v0.21.0-dirty', 0, 21, 0, '0.21.0-dirty'],
    ['bpftrace v0.24.0-rc0-12-gdeadbeef', 0, 24, 0, '0.24.0-rc0-12-gdeadbeef'],
    ['bpftrace v0.20', 0, 20, 0, '0.20'],
    ['bpftrace 1.0.3', 1, 0, 3, '1.0.3'],
    ['WARNING: limit is 8192 of 1.5\nbpftrace v0.27.1\n', 0, 27, 1, '0.27.1'],
  ];
  for (const [output, major, minor, patch, text] of cases) {
    test(JSON.stringify(output), () => {
      assert.deepEqual(parseVersion(output), { major, minor, patch, text });
    });
  }

  for (const output of ['', 'bpftrace', 'bpftrace vunknown', 'bpftrace: command not found', 'v0.']) {
    test(`${JSON.stringify(output)} is none`, () => {
      assert.equal(parseVersion(output), undefined);
    });
  }
});

test('atLeast compares numbers, not text, and looks through suffixes', () => {
  assert.equal(atLeast(version('v0.19.0'), '0.19'), true);
  assert.equal(atLeast(version('v0.19.5'), '0.19'), true);
  assert.equal(atLeast(version('v0.18.1'), '0.19'), false);
  assert.equal(atLeast(version('v0.9.4'), '0.17'), false);
  assert.equal(atLeast(version('v1.0.0'), '0.27'), true);
  assert.equal(atLeast(version('v0.27.1'), '1.0'), false);
  assert.equal(atLeast(version('v0.21.0-dirty'), '0.21'), true);
});
