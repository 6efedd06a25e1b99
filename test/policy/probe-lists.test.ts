import assert from 'node:assert/strict';
import { symlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/config.js';
import { covers, intersects, parseGlob } from '../../src/policy/glob.js';
import { Policy } from '../../src/policy/policy.js';
import { seeded } from '../support/random.js';

const may = (allow: string, deny: string, points: string): boolean =>
  new Policy('full', { allowProbes: allow, denyProbes: deny }).judge(`${points} { @ = count(); }`).length ===
  0;

test('what lies within the allowed probes passes, and nothing else', () => {
  const allow = 'tracepoint:syscalls:*,k:vfs_*,fentry:nf_tables:*,profile:hz:*,uprobe:/usr/bin/*:*';
  const yes = [
    'tracepoint:syscalls:sys_enter_read',
    't:syscalls:sys_*_read',
    'kprobe:vfs_read',
    'k:vfs_r*',
    'kprobe:vfs_read+4',
    'kprobe:vmlinux:vfs_read',
    'kfunc:nf_tables:nft_do_chain',
    'profile:hz:99',
    'uprobe:/usr/bin/env:main',
    'BEGIN, END, interval:s:1, kprobe:vfs_read',
    'name@kprobe:vfs_read',
    'kprobe:"vfs_read"',
  ];
  const no = [
    'tracepoint:*:sys_enter_read',
    'tracepoint:sched:sched_switch',
    'rawtracepoint:sys_enter',
    'kprobe:tcp_connect',
    'kprobe:*_read',
    'kprobe:vf*',
    'kretprobe:vfs_read',
    'fentry:nft_do_chain',
    'fentry:vfs_read',
    'profile:us:1000',
    'uprobe:/usr/sbin/x:main',
    'uretprobe:/usr/bin/env:main',
    'uprobe:env:main',
    'uprobe:/usr/bin/../sbin/x:main',
    'kprobe:vfs_read, kprobe:tcp_connect',
    'kprobe:vfs$1_read',
    'kprobe:0xffffffff81000000',
    'nosuch:vfs_read',
    'software:faults:1',
    'iter:task',
  ];
  for (const points of yes) assert.equal(may(allow, '', points), true, points);
  for (const points of no) assert.equal(may(allow, '', points), false, points);
});

test('what might match a denied probe is refused', () => {
  const deny = 'kprobe:*key*,tracepoint:sched:sched_switch,fentry:secret:f,uprobe:/usr/bin/env:*,iter,U:*';
  const no = [
    'kprobe:key_alloc',
    'kprobe:vmlinux:key_alloc',
    'k:key_alloc+0',
    'kprobe:k*',
    'kprobe:*',
    'kprobe:ke[xy]_alloc',
    'kprobe:ke?_alloc',
    'kprobe:ke$1y_alloc',
    'kprobe:"k\\x65y_alloc"',
    'kprobe:0x1234',
    'tracepoint:sched:*',
    't:*:sched_switch',
    'fentry:f',
    'kfunc:*:f',
    'uprobe:/usr/bin/env:main',
    'u:/bin/env:main',
    'uprobe:/usr/bin/../bin/env:main',
    'uprobe:/usr/bin/e*:main',
    'uprobe:env:main',
    'it:task',
    'usdt:/usr/bin/env:x',
    'BEGIN, kprobe:key_alloc',
  ];
  const yes = [
    'kprobe:vfs_read',
    'kretprobe:key_alloc',
    'tracepoint:sched:sched_wakeup',
    'fentry:g',
    'BEGIN',
    'uprobe:/usr/bin/id:main',
  ];
  for (const points of no) assert.equal(may('', deny, points), false, points);
  for (const points of yes) assert.equal(may('', deny, points), true, points);
});

test('a symbolic link leads to the binary that is meant', () => {
  const link = join(tmpdir(), `probe-lists-${process.pid}`);
  symlinkSync('/usr/bin/env', link);
  try {
    assert.equal(may('', 'uprobe:/usr/bin/env:*', `uprobe:${link}:main`), false);
    assert.equal(may('uprobe:/usr/bin/*:*', '', `uprobe:${link}:main`), true);
  } finally {
    unlinkSync(link);
  }
});

test('with a list even full and unsafe refuse what they cannot read', () => {
  for (const profile of ['full', 'unsafe'] as const) {
    const [first] = new Policy(profile, { allowProbes: 'tracepoint:*' }).judge(
      'kprobe:"f"/*{ } BEGIN /* */ { exit(); }',
    );
    assert.equal(first?.rule, 'malformed');
  }
});

test('patterns that can match nothing are refused at start', () => {
  for (const list of ['nosuch:*', 'vfs_read', ',', 'kprobe:a,bad'])
    assert.throws(
      () => loadConfig({ allowProbes: list }, {}),
      /--allow-probes .*begin with a probe type/,
      list,
    );
  assert.equal(loadConfig({ denyProbes: 'k:*' }, {}).denyProbes, 'k:*');
});

test('patterns are compared as sets of strings (seed 20261129)', () => {
  const random = seeded(20261129);
  const any = (letters: string, length: number): string =>
    Array.from({ length: random.below(length + 1) }, () => letters[random.below(letters.length)]).join('');
  const matches = (pattern: string, text: string): boolean =>
    new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
  const strings = [...new Set(Array.from({ length: 300 }, () => any('ab', 6)))];
  for (let run = 0; run < 4000; run++) {
    const [one, other] = [any('ab*?', 5), any('ab*?', 5)];
    const [a, b] = [parseGlob(one), parseGlob(other)];
    const common = strings.filter(text => matches(one, text) && matches(other, text));
    if (common.length > 0) assert.ok(intersects(a, b), `${one} and ${other} have ${common[0]} in common`);
    const outside = strings.find(text => matches(other, text) && !matches(one, text));
    if (outside !== undefined) assert.ok(!covers(a, b), `${one} does not cover ${outside} of ${other}`);
    assert.ok(covers(a, a) && covers(parseGlob('*'), a), one);
    assert.equal(intersects(a, b), intersects(b, a));
  }
});
