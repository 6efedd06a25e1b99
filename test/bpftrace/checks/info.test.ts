import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { hostFeatures } from '../../../src/bpftrace/checks.js';

/** Captured from real bpftrace. From dist/test/bpftrace/checks back to the source tree, which has them. */
function fixture(version: string): string {
  return readFileSync(new URL(`../../../../test/fixtures/info/${version}.txt`, import.meta.url), 'utf8');
}

describe('bpftrace --info', () => {
  test('0.17: one pair a line', () => {
    const info = hostFeatures(fixture('0.17.0'));
    assert.equal(info.version, 'v0.17.0');
    assert.equal(info.llvm, '14.0.6');
    assert.equal(info.arch, 'x86_64');
    assert.match(info.kernel ?? '', /^Linux \d+\.\d+/);
    assert.equal(info.instructionLimit, 1_000_000);
    assert.equal(info.features.kprobe, 'yes');
    assert.equal(info.features.fentry, 'no', 'printed as kfunc');
    assert.equal(info.features['iter:task_file'], 'no');
    assert.equal(info.features['uprobe refcount'], 'yes', 'without the remark in brackets');
    assert.equal(info.features.libdw, 'yes');
    assert.equal(info.features['percpu hash'], 'yes');
    assert.equal(Object.keys(info.features).length, 33);
  });

  test('0.23: two pairs a line', () => {
    const info = hostFeatures(fixture('0.23.2'));
    assert.equal(info.version, 'v0.23.2');
    assert.equal(info.llvm, '19.1.7');
    assert.equal(info.instructionLimit, 1_000_000);
    assert.equal(info.features.probe_read, 'yes');
    assert.equal(info.features.probe_read_str, 'yes');
    assert.equal(info.features['Kernel DWARF'], 'no');
    assert.equal(info.features.fentry, 'no');
    assert.equal(info.features.iter, 'no');
    assert.equal(info.features.liblldb, 'no');
    assert.equal(Object.keys(info.features).length, 39);
  });

  test('0.27: fewer names; what is not reported is not there', () => {
    const info = hostFeatures(fixture('0.27.1'));
    assert.equal(info.version, 'v0.27.1');
    assert.equal(info.llvm, '21.1.8');
    assert.equal(info.instructionLimit, 1_000_000);
    assert.equal(info.features.loop, 'yes');
    assert.equal(info.features.dwunwind, 'yes');
    assert.equal(info.features.kprobe, undefined);
    assert.equal(info.features.fentry, undefined);
    assert.equal(Object.keys(info.features).length, 16);
  });

  test('an answer that is neither yes nor no is unknown; warnings and nonsense are no features', () => {
    const text =
      "ERROR: couldn't set RLIMIT_MEMLOCK: no\nProbe types\n  fentry: maybe  iter: yes\nbtf: yes\n";
    assert.deepEqual(hostFeatures(text).features, { fentry: 'unknown', iter: 'yes' });
    assert.deepEqual(hostFeatures(''), { features: {} });
  });
});
