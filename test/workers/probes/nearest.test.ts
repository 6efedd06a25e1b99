import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editDistance, nearestTo } from '../../../workers/probes/nearest.js';
import { ProbeList } from '../../../workers/probes/probe-list.js';
import { manyProbes, realProbes } from '../../support/many-probes.js';

describe('nearest probes', () => {
  const real = new ProbeList(realProbes());
  const many = new ProbeList(manyProbes());

  for (const [asked, wanted] of [
    ['tracepoint:syscalls:sys_enter_opn', 'tracepoint:syscalls:sys_enter_open'],
    ['tracepoint:syscalls:sys_enter_opennat', 'tracepoint:syscalls:sys_enter_openat'],
    ['tracepoint:sched:sched_swtich', 'tracepoint:sched:sched_switch'],
    ['tracepoint:sched:switch_sched', 'tracepoint:sched:sched_switch'],
    ['tracepoint:syscall:sys_enter_read', 'tracepoint:syscalls:sys_enter_read'],
    ['kprobe:tcp_retransmit_skb', 'tracepoint:tcp:tcp_retransmit_skb'],
    ['sched_process_forks', 'tracepoint:sched:sched_process_fork'],
  ] as const) {
    test(`${asked}: ${wanted}`, () => {
      const near = nearestTo(real, asked, 3);
      assert.ok(near.includes(wanted), near.join(', '));
    });
  }

  test('among 150,000, in some milliseconds', t => {
    const begun = performance.now();
    assert.equal(nearestTo(many, 'kprobe:vfs_raed', 3).includes('kprobe:vfs_read'), true);
    t.diagnostic(`${(performance.now() - begun).toFixed(1)} ms, the first time`);
  });

  test('nothing is near to noise', () => {
    for (const noise of ['', ':', 'x', 'kprobe:qqqqqqqqqqqqqqq', '\u{1f4a5}', 'a'.repeat(1000)])
      assert.deepEqual(nearestTo(real, noise, 3), [], noise);
  });

  test('distances', () => {
    for (const [a, b, distance] of [
      ['', '', 0],
      ['open', 'opne', 1],
      ['open', 'oen', 1],
      ['open', 'openat', 2],
      ['kitten', 'sitting', 3],
    ] as const)
      assert.equal(editDistance(a, b, 10), distance);
    assert.ok(editDistance('abcdefgh', 'zzzzzzzz', 2) > 2);
  });
});
