import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startActivity } from '../support/activity.js';
import { PACE } from '../support/pace.js';
import { bpftracesOf } from '../support/processes.js';
import { runToEnd } from '../support/run-to-end.js';
import { ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';

/** What needs a full kernel, beside the features: tens of thousands of probes, and what the tools say of kprobes. */
const LIST_BOUND_MS = 600_000;

describe('on a full kernel', { concurrency: 1 }, () => {
  let server: ServerUnderTest;
  let activity: { stop: () => Promise<void> };
  before(async () => {
    server = await ServerUnderTest.start(['--log-level', 'silent', ...PACE.flags]);
    activity = startActivity(PACE.emulated);
  });
  after(async () => {
    await activity.stop();
    await server.close();
  });

  test('bpf_info: kprobes, fentry and BTF are there', async () => {
    const checks = await server.list<{ name: string; answer: string; detail: string }>('bpf_info', 'checks');
    for (const name of ['traces', 'kprobes', 'fentry', 'btf', 'uprobes', 'tracepoints']) {
      const check = checks.find(one => one.name === name);
      assert.equal(check?.answer, 'yes', `${name}: ${check?.detail}`);
    }
  });

  test('list_probes: tens of thousands, each once, found by pattern and by words', async t => {
    const begun = performance.now();
    const first = await until('the list is made', LIST_BOUND_MS, async () => {
      const reply = await server.call('list_probes', { filter: '*', limit: 1 });
      return reply.isError ? undefined : reply;
    });
    const again = performance.now();
    const found = await server.list<{ name: string }>('list_probes', 'probes', {
      filter: 'kprobe:tcp_retransmit_skb',
    });
    t.diagnostic(
      `${first.structured?.total} probes; first answer ${Math.round(again - begun)} ms, the next ${Math.round(performance.now() - again)} ms`,
    );
    assert.ok(Number(first.structured?.total) > 70_000);
    assert.deepEqual(
      found.map(probe => probe.name),
      ['kprobe:tcp_retransmit_skb'],
    );
    const words = await server.list<{ name: string }>('list_probes', 'probes', {
      filter: 'retransmit tcp tracepoint',
    });
    assert.ok(words.some(probe => probe.name === 'tracepoint:tcp:tcp_retransmit_skb'));
  });

  test('a stop keeps the maps of a kprobe program', async () => {
    const program = 'kprobe:vfs_read { @ = count(); }';
    const { execution_id } = await server.result('exec_program', { program, timeout: 60, wait: 0.1 });
    await until('it runs', LIST_BOUND_MS, async () => {
      const { status } = await server.result('get_result', { execution_id, wait: 1 });
      return status !== 'starting';
    });
    const result = await server.result('stop_program', { execution_id });
    assert.deepEqual([result.status, result.ended_by], ['stopped', 'stop'], result.error_message);
    assert.equal(typeof result.maps[0]?.value, 'number', JSON.stringify(result.maps));
    assert.deepEqual(bpftracesOf(server.pid), []);
  });

  test('a snapshot of a running kprobe program', async () => {
    const program = 'kprobe:vfs_read { @reads[comm] = count(); }';
    const { execution_id } = await server.result('exec_program', { program, timeout: 60 });
    const snapshot = await until('its maps are there', LIST_BOUND_MS, async () => {
      const result = await server.result('get_result', { execution_id, snapshot: true });
      return result.maps.length > 0 ? result : undefined;
    });
    assert.equal(snapshot.status, 'running');
    assert.ok(Number(snapshot.snapshot_at) > 0);
    assert.ok(Number(snapshot.maps[0]?.entries_total) > 0, JSON.stringify(snapshot.maps));
    const stopped = await server.result('stop_program', { execution_id });
    assert.ok(Number(stopped.maps[0]?.entries_total) >= Number(snapshot.maps[0]?.entries_total));
  });

  test('validate_program counts the functions that a pattern means, and attaches none', async () => {
    const reply = await server.call('validate_program', { program: 'kprobe:vfs_* { @ = count(); }' });
    assert.equal(reply.structured?.valid, true, reply.text);
    assert.ok(Number(reply.structured?.probes_total) > 40, reply.text);
    // Not every function is listed: it may be there.
    const wrong = await server.call('validate_program', { program: 'kprobe:no_such_fn { @ = count(); }' });
    assert.equal(wrong.structured?.valid, null, wrong.text);
    assert.match(wrong.text, /no_such_fn: not among the functions/);
  });

  test('a function that is written wrongly: the one that was meant', async () => {
    const result = await runToEnd(server, 'kprobe:vfs_raed { @ = count(); }', 2);
    assert.deepEqual([result.status, result.reason], ['failed', 'attach_failed']);
    const [first] = result.diagnostics;
    assert.equal(first?.line, 1);
    assert.match(first?.hint ?? '', /vfs_read/, JSON.stringify(result.diagnostics));
  });
});
