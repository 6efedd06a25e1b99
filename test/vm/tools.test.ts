import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { startActivity } from '../support/activity.js';
import { PACE } from '../support/pace.js';
import { runToEnd } from '../support/run-to-end.js';
import { ServerUnderTest } from '../support/server.js';

/** Programs of many kprobes: the bpftrace package's own tools, wildcards, and the limits on these. */
const TOOLS = ['vfsstat', 'vfscount', 'dcsnoop', 'capable', 'oomkill', 'tcpaccept', 'runqlen'];

describe('many kprobes', { concurrency: 1 }, () => {
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

  for (const tool of TOOLS) {
    test(`${tool}.bt of the bpftrace package runs`, async () => {
      const result = await runToEnd(server, readFileSync(`/usr/sbin/${tool}.bt`, 'utf8'), 2);
      assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
    });
  }

  test('a wildcard of many kprobes attaches and ends with its map', async t => {
    const result = await runToEnd(server, 'kprobe:vfs_* { @[probe] = count(); }', 2);
    t.diagnostic(`${result.attached_probes} probes`);
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
    assert.ok(Number(result.attached_probes) > 40);
    assert.ok(Number(result.maps[0]?.entries_total) > 0);
  });

  test('a wildcard beyond the limit fails, and says what the limit is', async t => {
    const result = await runToEnd(server, 'tracepoint:* { @ = count(); }', 2);
    assert.equal(result.status, 'failed');
    assert.match(result.error_message ?? '', /exceeds the (?:current )?limit|too many/i);
    t.diagnostic(result.error_message ?? '');
  });
});
