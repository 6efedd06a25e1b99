import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { withEvents } from '../../workers/probes/perf-events.js';
import { BPFTRACE, ServerUnderTest } from '../support/server.js';

/** `list_probes` as an agent sees it, on this kernel. */
describe('list_probes', () => {
  let server: ServerUnderTest;
  before(async () => {
    server = await ServerUnderTest.start();
  });
  after(() => server.close());

  const ask = async (args: Record<string, unknown>) => {
    const { isError, text, structured = {} } = await server.call('list_probes', args);
    assert.equal(isError, false, text);
    return { text, structured };
  };

  test('without a filter: totals first, in both forms', async () => {
    const { text, structured } = await ask({ limit: 1 });
    assert.match(text, /^1 of \d+ probes \(.*\btracepoint \d{3,}.*\)\ntracepoint groups: syscalls \d+, /);
    const totals = structured.totals as Record<string, number>;
    assert.equal(
      Object.values(totals).reduce((sum, count) => sum + count, 0),
      structured.total,
    );
    const groups = structured.groups as Record<string, number>;
    assert.equal(
      Object.values(groups).reduce((sum, count) => sum + count, 0),
      totals.tracepoint,
    );
  });

  test('details: types, and what numbers mean', async () => {
    const { text } = await ask({ filter: 'tracepoint:sched:sched_switch', details: true });
    assert.match(text, /^ {4}prev_comm: char\[16\]$/m);
    assert.match(text, /^ {4}prev_state: long {2}bits: 1=S 2=D /m);
    const tcp = await ask({ filter: 'tracepoint:sock:inet_sock_set_state', details: true });
    assert.match(tcp.text, /^ {4}newstate: int {2}values: 1=TCP_ESTABLISHED 2=TCP_SYN_SENT /m);
    const events = await ask({ filter: 'software:*', details: true, limit: 20 });
    assert.ok(Number(events.structured.count) > 10);
  });

  test('details of many: a page of 20, the rest by the cursor', async () => {
    const { structured } = await ask({ filter: 'tracepoint:syscalls:*', details: true, limit: 1000 });
    assert.equal(structured.count, 20);
    const probes = structured.probes as { fields: unknown[] }[];
    assert.ok(probes.every(({ fields }) => fields.length > 0));
    assert.ok(structured.next_cursor);
  });

  test('arguments of a function of a binary are those that its debug information tells, or none', async () => {
    const { structured } = await ask({ filter: 'uprobe:/bin/bash:readline', details: true });
    assert.deepEqual(structured.totals, { uprobe: 1 });
  });

  test('types: whole, page by page, by member, by pattern, and the nearest for one that is not there', async () => {
    const whole = await ask({ filter: 'struct task_struct', limit: 1000 });
    const lines = whole.structured.definition as string[];
    assert.equal(lines[0], 'struct task_struct {');
    assert.equal(lines.at(-1), '};');
    const paged: string[] = [];
    let cursor: unknown;
    do {
      const { structured } = await ask({
        filter: 'struct task_struct',
        limit: 100,
        ...(cursor !== undefined && { cursor }),
      });
      paged.push(...(structured.definition as string[]));
      cursor = structured.next_cursor;
    } while (cursor !== undefined);
    assert.deepEqual(paged, lines);
    const member = await ask({ filter: 'struct task_struct *_cpu' });
    assert.match(member.text, /\n {2}int on_cpu;/);
    assert.ok(Number(member.structured.total) < 12);
    assert.match((await ask({ filter: 'enum pid_type' })).text, /\n {2}PIDTYPE_PID = 0,/);
    assert.match((await ask({ filter: 'struct task_str*' })).text, /\nstruct task_struct\b/);
    const missing = await ask({ filter: 'struct task_strct' });
    assert.match(missing.text, /^no type or member .*nearest: struct task_struct\b/);
  });

  test('what matches nothing is answered with what is near', async () => {
    const spelled = await ask({ filter: 'tracepoint:syscalls:sys_enter_opennat' });
    assert.equal(spelled.structured.total, 0);
    assert.match(spelled.text, /nearest: .*tracepoint:syscalls:sys_enter_openat\b/);
    const words = await ask({ filter: 'retransmt' });
    assert.match(words.text, /nearest: tracepoint:tcp:tcp_retransmit_skb/);
    const both = await ask({ filter: 'tcp retransmt', limit: 1 });
    assert.match(both.text, /with a word spelled otherwise: tracepoint:tcp:tcp_retransmit_skb/);
    const loose = await ask({ filter: 'tcp retransmit nosuchwordatall', limit: 1 });
    assert.match(loose.text, /none has all the words.*\ntracepoint:tcp:tcp_retransmit_skb/);
  });

  test('what no list has is told where it is asked for', async () => {
    for (const [filter, probe] of [
      ['who burns the cpu', 'profile:hz:99'],
      ['profile:hz:99', 'profile:hz:99'],
      ['every second', 'interval:s:1'],
      ['BEGIN', 'BEGIN'],
      ['function of a program', 'uprobe:PATH:FUNCTION'],
    ] as const) {
      const { text, structured } = await ask({ filter, limit: 1 });
      assert.match(text, new RegExp(`^always there: ${probe} `, 'm'), filter);
      assert.ok((structured.always as string[])[0]?.startsWith(`${probe} (`));
    }
    assert.equal((await ask({ filter: 'uprobe:/bin/bash:readline' })).structured.always, undefined);
  });

  test('a kind of probe that this host has none of is told as such', async t => {
    const { text, structured } = await ask({ filter: 'kprobe:vfs_read' });
    if (structured.total !== 0) return t.skip('this kernel has kprobes');
    assert.match(text, /this host has no kprobe at all/);
  });

  test('a pattern finds what `bpftrace -l` finds with it', async () => {
    for (const filter of ['tracepoint:*open*', 't:sched:*', 'trace*:*:sys_enter_open', 'software:*']) {
      const { structured } = await ask({ filter, limit: 1000 });
      const found = (structured.probes as { name: string }[]).map(({ name }) => name);
      const listed = execFileSync(BPFTRACE, ['-l', filter], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      // 0.17 does not name perf's events.
      const expected = withEvents(listed.split('\n').filter(line => line !== ''));
      assert.deepEqual(found, [...new Set(expected)].sort(), filter);
    }
  });
});
