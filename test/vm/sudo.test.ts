import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { startActivity } from '../support/activity.js';
import { PACE } from '../support/pace.js';
import { runToEnd } from '../support/run-to-end.js';
import { ServerUnderTest } from '../support/server.js';

test('sudo without a password: another user’s server traces through it', async t => {
  execFileSync('useradd', ['--create-home', 'tracer']);
  execFileSync('sh', ['-c', 'echo "tracer ALL=(root) NOPASSWD: ALL" > /etc/sudoers.d/tracer']);
  const uid = Number(execFileSync('id', ['-u', 'tracer'], { encoding: 'utf8' }));
  const activity = startActivity(PACE.emulated);
  t.after(() => activity.stop());
  const server = await ServerUnderTest.start(['--log-level', 'silent', ...PACE.flags], { uid });
  t.after(() => server.process.kill('SIGKILL'));
  const result = await runToEnd(server, 'kprobe:vfs_read { @ = count(); }', 2);
  assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
  assert.ok(Number(result.maps[0]?.value) > 0, JSON.stringify(result.maps));
  assert.deepEqual(await server.close(), { code: 0, signal: null });
});
