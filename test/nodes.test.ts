import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { repositoryRoot } from './support/fixtures.js';
import { bpftracesOf } from './support/processes.js';
import { ServerUnderTest } from './support/server.js';

/** The other supported versions of Node, as the npm packages that carry them; the suite itself runs on the installed one. */
const VERSIONS = ['22', '24'];

function nodeBinary(version: string): string {
  const folder = join(repositoryRoot(), 'node_modules', '.cache', `node-${version}`);
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    execFileSync('npm', ['install', '--prefix', folder, '--no-save', `node@${version}`], { stdio: 'pipe' });
  }
  return binary;
}

describe('other versions of Node', { concurrency: 1 }, () => {
  for (const version of VERSIONS) {
    test(`Node ${version}: finds a probe, runs, fails, stops, lists and ends`, async t => {
      const node = nodeBinary(version);
      const running = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
      assert.match(running, new RegExp(`^v${version}\\.`));
      t.diagnostic(running);
      const server = await ServerUnderTest.start([], { node });
      t.after(() => server.process.kill('SIGKILL'));

      const probes = await server.list<{ name: string }>('list_probes', 'probes', { filter: 'sched_switch' });
      assert.ok(probes.some(probe => probe.name === 'tracepoint:sched:sched_switch'));
      const ticks = 'interval:ms:50 { @ticks = count(); printf("tick\\n"); }';
      const done = await server.result('exec_program', { program: ticks, timeout: 0.5, wait: 20 });
      assert.deepEqual([done.status, done.ended_by], ['completed', 'deadline']);
      assert.ok(done.lines_total >= 5 && Number(done.maps[0]?.value) >= done.lines_total);
      const failed = await server.result('exec_program', { program: 'BEGIN { printf("x" }' });
      assert.deepEqual([failed.status, failed.reason], ['failed', 'compile_failed']);
      const { execution_id } = await server.result('exec_program', { program: ticks, timeout: 30 });
      await server.result('get_result', { execution_id, offset: 0, wait: 20 });
      const stopped = await server.result('stop_program', { execution_id });
      assert.equal(stopped.status, 'stopped');
      assert.ok(Number(stopped.maps[0]?.value) > 0);
      assert.equal((await server.executions()).length, 3);
      // At the most the one that stands by.
      assert.ok(bpftracesOf(server.pid).length <= 1);
      assert.deepEqual(await server.close(), { code: 0, signal: null });
      assert.deepEqual(server.strayOutput, []);
    });
  }
});
