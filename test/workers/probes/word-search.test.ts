import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { findByWords, guessByWords } from '../../../workers/probes/by-words.js';
import { withEvents } from '../../../workers/probes/perf-events.js';
import { ProbeList } from '../../../workers/probes/probe-list.js';
import { questionOf } from '../../../workers/probes/question.js';
import { manyProbes, realProbes } from '../../support/many-probes.js';

/** What a person on call types, and the probes of which one must be among the first three answers. */
const QUESTIONS: readonly [string, ...string[]][] = [
  ['which probes see a tcp retransmit', 'tracepoint:tcp:tcp_retransmit_skb'],
  ['who opens which files?', 'tracepoint:syscalls:sys_enter_openat'],
  ['disk latency', 'tracepoint:block:block_rq_issue', 'tracepoint:block:block_io_start'],
  ['oom killer', 'tracepoint:oom:mark_victim', 'kprobe:oom_kill_process'],
  ['process fork', 'tracepoint:sched:sched_process_fork'],
  ['short-lived processes exec', 'tracepoint:sched:sched_process_exec'],
  ['where do we connect to', 'tracepoint:syscalls:sys_enter_connect'],
  ['context switches', 'tracepoint:sched:sched_switch'],
  ['page faults', 'tracepoint:exceptions:page_fault_user', 'software:page-faults:'],
  ['dropped packets', 'tracepoint:skb:kfree_skb'],
  // Beyond the ten.
  ['who sends SIGKILL signals', 'tracepoint:signal:signal_generate'],
  ['lock contention', 'tracepoint:lock:contention_begin', 'tracepoint:syscalls:sys_enter_futex'],
  ['run queue latency', 'tracepoint:sched:sched_wakeup'],
  ['fsync', 'tracepoint:syscalls:sys_enter_fsync'],
  ['who deletes my files', 'tracepoint:syscalls:sys_enter_unlinkat'],
  ['memory reclaim', 'tracepoint:vmscan:mm_vmscan_direct_reclaim_begin'],
  ['tcp connection state', 'tracepoint:sock:inet_sock_set_state'],
  ['cpu migrations', 'tracepoint:sched:sched_migrate_task'],
  ['softirq', 'tracepoint:irq:softirq_entry'],
  ['sched switch', 'tracepoint:sched:sched_switch'],
  ['switch sched', 'tracepoint:sched:sched_switch'],
  ['kmalloc', 'tracepoint:kmem:kmalloc'],
];

for (const { about, probes } of [
  { about: 'what this host lists', probes: realProbes },
  { about: '150,000 probes', probes: manyProbes },
]) {
  describe(`words, over ${about}`, () => {
    let list: ProbeList;
    before(() => {
      list = new ProbeList(withEvents(probes()));
    });
    const named = (ids: Uint32Array): string[] => Array.from(ids, id => list.names[id] ?? '');

    for (const [question, ...wanted] of QUESTIONS) {
      test(question, t => {
        const there = wanted.filter(name => list.idOf(name) !== undefined);
        if (there.length === 0) return t.skip(`this kernel has no ${wanted.join(' or ')}`);
        const first = named(findByWords(list, question).ids.subarray(0, 3));
        t.diagnostic(`${question}: ${first.join(', ')}`);
        assert.ok(
          first.some(name => there.includes(name)),
          first.join(', '),
        );
      });
    }

    test('each match has every word, in some form', () => {
      const { ids, loose } = findByWords(list, 'sched process');
      assert.equal(loose, false);
      for (const name of named(ids)) assert.match(name, /sched|task/);
      assert.equal(new Set(ids).size, ids.length);
    });

    test('where none has all the words, those with the most, and it is said', () => {
      const { ids, loose } = findByWords(list, 'retransmit tcp nosuchwordatall');
      assert.equal(loose, true);
      assert.equal(named(ids)[0], 'tracepoint:tcp:tcp_retransmit_skb');
    });

    test('a misspelt word finds nothing, and its right spelling is guessed', () => {
      for (const [misspelt, wanted] of [
        ['retransmt', 'tracepoint:tcp:tcp_retransmit_skb'],
        ['sched_swtich', 'tracepoint:sched:sched_switch'],
        ['kmallok', 'tracepoint:kmem:kmalloc'],
      ] as const) {
        const guesses = guessByWords(list, misspelt, 5);
        assert.ok(guesses.includes(wanted), `${misspelt}: ${guesses.join(', ')}`);
      }
    });

    test('a kind of probe among the words keeps to that kind', () => {
      for (const name of named(findByWords(list, 'tracepoints retransmit').ids))
        assert.match(name, /^tracepoint:/);
      assert.ok(findByWords(list, 'tracepoint').ids.length > 100);
    });
  });
}

test('a question is its words, each once, and the kinds of probes that it names', () => {
  assert.deepEqual(questionOf('a TCP_retransmit, of TCP?').words, ['a', 'tcp', 'retransmit', 'of']);
  assert.deepEqual([...questionOf('kprobes constructor __proto__').providers], ['kprobe']);
});
