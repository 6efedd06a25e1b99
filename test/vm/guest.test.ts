import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Result } from '../../src/results/result.js';
import { startActivity } from '../support/activity.js';
import { PACE } from '../support/pace.js';
import { bpftracesOf } from '../support/processes.js';
import { ServerUnderTest } from '../support/server.js';

/**
 * What needs a full kernel, beside the features: tens of thousands of probes, the limits on them, tools that need
 * kprobes. Runs inside the guest, over the real server.
 */
const FLAGS = ['--log-level', 'silent', ...PACE.flags];

describe('on a full kernel', { concurrency: 1 }, () => {
  let server: ServerUnderTest;
  let activity: { stop: () => Promise<void> };
  before(async () => {
    server = await ServerUnderTest.start(FLAGS);
    activity = startActivity(PACE.emulated);
  });
  after(async () => {
    await activity.stop();
    await server.close();
  });

  /** Runs a program for two seconds, however long its probes take to attach. */
  async function run(program: string, timeout = 2): Promise<Result> {
    let result = await server.result('exec_program', { program, timeout, wait: 50 });
    while (!result.ended_by) {
      result = await server.result('get_result', {
        execution_id: result.execution_id,
        offset: result.lines_total,
        wait: 50,
      });
    }
    return server.result('get_result', { execution_id: result.execution_id });
  }

  test('bpf_info: kprobes, fentry and BTF are there', async () => {
    const checks = await server.list<{ name: string; answer: string; detail: string }>('bpf_info', 'checks');
    for (const name of ['traces', 'kprobes', 'fentry', 'btf', 'uprobes', 'tracepoints']) {
      const check = checks.find(one => one.name === name);
      assert.equal(check?.answer, 'yes', `${name}: ${check?.detail}`);
    }
  });

  test('list_probes: tens of thousands, each once, found by pattern and by words', async t => {
    const begun = performance.now();
    const first = await server.call('list_probes', { limit: 1 });
    const firstMs = performance.now() - begun;
    const again = performance.now();
    const found = await server.list<{ name: string }>('list_probes', 'probes', {
      filter: 'kprobe:tcp_retransmit_skb',
    });
    t.diagnostic(
      `${first.structured?.total} probes; first answer ${Math.round(firstMs)} ms, the next ${Math.round(performance.now() - again)} ms`,
    );
    assert.ok(Number(first.structured?.total) > 50_000);
    assert.deepEqual(
      found.map(probe => probe.name),
      ['kprobe:tcp_retransmit_skb'],
    );
    const words = await server.list<{ name: string }>('list_probes', 'probes', {
      filter: 'retransmit tcp tracepoint',
    });
    assert.ok(words.some(probe => probe.name === 'tracepoint:tcp:tcp_retransmit_skb'));
  });

  test('a wildcard of many kprobes attaches and ends with its map', async t => {
    const result = await run('kprobe:vfs_* { @[probe] = count(); }');
    t.diagnostic(`${result.attached_probes} probes`);
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
    assert.ok(Number(result.attached_probes) > 40);
  });

  test('a wildcard beyond the limit fails, and says what the limit is', async t => {
    const result = await run('tracepoint:* { @ = count(); }');
    assert.equal(result.status, 'failed');
    assert.match(result.error_message ?? '', /exceeds the (?:current )?limit|too many/i);
    t.diagnostic(result.error_message ?? '');
  });

  for (const tool of [
    'vfsstat',
    'vfscount',
    'dcsnoop',
    'capable',
    'oomkill',
    'tcpaccept',
    'runqlen',
    'loads',
  ]) {
    test(`${tool}.bt of the bpftrace package runs`, async () => {
      const result = await run(readFileSync(`/usr/sbin/${tool}.bt`, 'utf8'));
      assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
    });
  }

  test('a stop keeps the maps of a kprobe program', async () => {
    const { execution_id } = await server.result('exec_program', {
      program: 'kprobe:vfs_read { @ = count(); }',
      timeout: 60,
    });
    let result = await server.result('get_result', { execution_id });
    while (result.status === 'starting')
      result = await server.result('get_result', { execution_id, wait: 1 });
    result = await server.result('stop_program', { execution_id });
    assert.deepEqual([result.status, result.ended_by], ['stopped', 'stop']);
    assert.equal(typeof result.maps[0]?.value, 'number', JSON.stringify(result.maps));
    assert.deepEqual(bpftracesOf(server.pid), []);
  });

  test('sudo without a password: another user’s server traces through it', async () => {
    execFileSync('useradd', ['--create-home', 'tracer']);
    execFileSync('sh', ['-c', 'echo "tracer ALL=(root) NOPASSWD: ALL" > /etc/sudoers.d/tracer']);
    const uid = Number(execFileSync('id', ['-u', 'tracer'], { encoding: 'utf8' }));
    const other = await ServerUnderTest.start(FLAGS, { uid });
    const result = await other.result('exec_program', {
      program: 'kprobe:vfs_read { @ = count(); }',
      timeout: 2,
      wait: 50,
    });
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
    assert.deepEqual(await other.close(), { code: 0, signal: null });
  });
});
