import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { findExecutable } from '../src/privilege/executable.js';
import type { Result } from '../src/results/result.js';
import {
  type Busy,
  busyServer,
  type End,
  endBy,
  idleServer,
  orKilled,
  startingServer,
  Ways,
} from './support/ending-server.js';
import { folder } from './support/fake-bpftrace.js';
import { bpftracesOf, isAlive } from './support/processes.js';
import { until } from './support/until.js';

/** The kernel kills the children with the server; this is for the machine to get round to it. */
const KILLED_MS = 2000;

/**
 * Crashes a thread of the server from outside: a module that Node loads into every thread before anything of
 * ours, and that throws there once when a file appears. The server has no part in it.
 */
const CRASH: Record<'main' | 'worker', string> = {
  main: join(folder, 'crash-main'),
  worker: join(folder, 'crash-worker'),
};
const preload = join(folder, 'crash.mjs');
writeFileSync(
  preload,
  `import { unlinkSync } from 'node:fs';
   import { isMainThread } from 'node:worker_threads';
   const file = isMainThread ? ${JSON.stringify(CRASH.main)} : ${JSON.stringify(CRASH.worker)};
   setInterval(() => {
     try { unlinkSync(file); } catch { return; }
     throw new Error('crashed by the test');
   }, 10).unref();`,
);
const CRASHABLE = { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` };

/** Asks for the parent-death signal late, as a process does that the scheduler has left waiting. */
function lateSetpriv(): NodeJS.ProcessEnv {
  const setpriv = findExecutable('setpriv', process.env);
  assert.ok(setpriv, 'setpriv of util-linux is needed');
  const late = join(folder, 'setpriv');
  writeFileSync(late, `#!/bin/sh\nsleep 0.5\nexec ${setpriv} "$@"\n`, { mode: 0o755 });
  return { PATH: `${folder}${delimiter}${process.env.PATH}` };
}

describe('a server that ends with no chance to say a word, two programs running and three queued', () => {
  const ways = new Ways();
  const kill = (busy: Busy): Promise<End> =>
    endBy(busy, 5000, () => process.kill(busy.server.pid, 'SIGKILL'));

  test('SIGKILL', async () => {
    const busy = await busyServer();
    const end = await kill(busy);
    assert.deepEqual([end.code, end.signal], [null, 'SIGKILL']);
    await ways.add('SIGKILL', busy, end, KILLED_MS);
  });

  test('SIGKILL while the programs are starting', async () => {
    const busy = await startingServer();
    const end = await kill(busy);
    assert.deepEqual([end.code, end.signal], [null, 'SIGKILL']);
    await ways.add('SIGKILL while starting', busy, end, KILLED_MS);
  });

  test('SIGKILL before the children have asked for the parent-death signal', async () => {
    // They die of the broken pipe then, when they announce what they have attached.
    const busy = await startingServer(lateSetpriv());
    const end = await kill(busy);
    assert.deepEqual([end.code, end.signal], [null, 'SIGKILL']);
    await ways.add('SIGKILL before setpriv', busy, end, 30_000);
  });

  test('SIGKILL while a bpftrace stands by', async () => {
    const idle = await idleServer();
    const end = await kill(idle);
    assert.deepEqual([end.code, end.signal], [null, 'SIGKILL']);
    await ways.add('SIGKILL, idle', idle, end, KILLED_MS);
  });

  test('an exception in the main thread that nothing catches', async () => {
    const busy = await busyServer(undefined, CRASHABLE);
    const end = await endBy(busy, 5000, () => writeFileSync(CRASH.main, ''));
    assert.equal(end.signal, null);
    assert.notEqual(end.code, 0, 'a crash is no clean end');
    assert.match(end.said, /crashed by the test/);
    await ways.add('exception in the main thread', busy, end, KILLED_MS);
  });

  test('the table', t => {
    for (const line of ways.lines) t.diagnostic(line);
    assert.equal(ways.lines.length, 6);
  });
});

describe('a worker thread that crashes', () => {
  test('its child is killed, its program has failed, the others run on, and the server ends in order', async t => {
    const busy = await busyServer(undefined, CRASHABLE);
    const { server } = busy;
    t.after(() => server.process.kill('SIGKILL'));
    const ids = (await server.executions()).map(({ execution_id }) => execution_id);
    const results = (): Promise<Result[]> =>
      Promise.all(ids.map(execution_id => server.result('get_result', { execution_id })));

    const begun = performance.now();
    writeFileSync(CRASH.worker, '');
    const failed = await until('a program has failed', 10_000, async () =>
      (await results()).find(({ status }) => status === 'failed'),
    );
    const ms = performance.now() - begun;
    assert.equal(existsSync(CRASH.worker), false);
    assert.equal(failed.reason, 'worker_crashed');
    assert.equal(
      failed.error_message,
      'the worker thread ended: crashed by the test; bpftrace was killed with it',
    );
    await until('its child is gone', KILLED_MS, () => busy.children.filter(isAlive).length === 1);
    t.diagnostic(`told after ${Math.round(ms)} ms`);

    await until('a new thread has taken the next program', 20_000, async () => {
      const statuses = (await results()).map(({ status }) => status).sort();
      return statuses.join() === 'failed,queued,queued,running,running';
    });
    const running = bpftracesOf(server.pid).filter(({ pid }) => isAlive(pid));
    assert.equal(running.length, 2);
    assert.ok(
      running.some(({ pid }) => busy.children.includes(pid)),
      'the other one ran on',
    );

    const now: Busy = { server, children: running.map(({ pid }) => pid) };
    const end = await endBy(now, 10_000, () => process.kill(server.pid, 'SIGTERM'));
    assert.deepEqual([end.code, end.signal, end.left], [0, null, []]);
    const ends = end.log.filter(({ msg }) => msg === 'execution');
    assert.deepEqual(
      ends.map(({ status, reason, level }) => [status, reason, level]),
      [['failed', 'worker_crashed', 40], ...Array(4).fill(['stopped', undefined, 30])],
    );
  });

  test('its bpftrace that stood by is killed, and the next program is started without', async t => {
    const { server, children } = await idleServer(CRASHABLE);
    t.after(() => server.process.kill('SIGKILL'));
    writeFileSync(CRASH.worker, '');
    await orKilled(server, async () => {
      await until('it is gone', 10_000, () => !children.some(isAlive));
      const program = 'BEGIN { printf("ran\\n"); exit(); }';
      const { status, output } = await server.result('exec_program', { program, wait: 30 });
      assert.deepEqual([status, output], ['completed', ['ran']]);
    });
    const end = await endBy({ server, children }, 10_000, () => server.client.close());
    assert.deepEqual([end.code, end.signal], [0, null]);
    assert.deepEqual(
      end.log.filter(({ msg }) => /stood by/.test(msg)).map(({ why }) => why),
      ['its thread ended: crashed by the test'],
    );
  });
});
