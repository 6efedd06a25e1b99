import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Check } from '../../src/bpftrace/checks.js';
import { commandText, type FixContext, PACKAGE_MANAGERS, planFixes } from '../../src/cli/doctor-plan.js';

const BARE: FixContext = {
  bpftracePath: 'bpftrace',
  bpftraceExists: false,
  packageManager: 'apt-get',
  tracefs: 'free',
  debugfs: 'free',
};

const check = (name: string, answer: Check['answer'] = 'no'): Check => ({
  name,
  answer,
  required: false,
  detail: '',
});
const ALL = ['bpftrace', 'tracefs', 'debugfs'].map(name => check(name));

function commands(checks: readonly Check[], context: FixContext): string[] {
  return planFixes(checks, context).map(step => step.argv.join(' '));
}

describe('the plan', () => {
  test('a bare Debian: mounts first, then update and install', () => {
    assert.deepEqual(commands(ALL, BARE), [
      'mount -t tracefs tracefs /sys/kernel/tracing',
      'mount -t debugfs debugfs /sys/kernel/debug',
      'apt-get update',
      'env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bpftrace',
    ]);
    for (const step of planFixes(ALL, BARE)) assert.ok(step.why.length > 0 && step.timeoutMs > 0);
  });

  test('every package manager installs without asking', () => {
    const install = (packageManager: FixContext['packageManager']) =>
      commands([check('bpftrace')], { ...BARE, packageManager }).at(-1);
    assert.deepEqual(PACKAGE_MANAGERS.map(install), [
      'env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends bpftrace',
      'dnf install -y bpftrace',
      'yum install -y bpftrace',
      'pacman -S --noconfirm --needed bpftrace',
      'zypper --non-interactive install bpftrace',
      'apk add --update-cache bpftrace',
    ]);
    assert.equal(install(undefined), undefined);
  });

  test('nothing for what is well', () => {
    const well = ['bpftrace', 'tracefs', 'debugfs', 'kprobes'].map(name => check(name, 'yes'));
    assert.deepEqual(commands(well, BARE), []);
  });

  test('nothing for what no command brings', () => {
    assert.deepEqual(
      commands(
        ['kprobes', 'privileges', 'traces', 'btf'].map(name => check(name)),
        BARE,
      ),
      [],
    );
    assert.deepEqual(
      commands(ALL, { ...BARE, bpftraceExists: true, tracefs: 'mounted', debugfs: 'absent' }),
      [],
    );
  });

  test('no package for a path or a name that the operator chose', () => {
    for (const bpftracePath of ['/opt/bpftrace', './bpftrace', 'bpftrace-next']) {
      assert.deepEqual(commands([check('bpftrace')], { ...BARE, bpftracePath }), []);
    }
  });

  test('one unknown is worth a step as well', () => {
    assert.equal(planFixes([check('tracefs', 'unknown')], BARE).length, 1);
  });
});

test('a command as a person would type it', () => {
  assert.equal(commandText(['env', 'A=b', 'x-y', '/a/b']), 'env A=b x-y /a/b');
  assert.equal(commandText(['a b', "it's", '', '$x']), `'a b' 'it'\\''s' '' '$x'`);
});
