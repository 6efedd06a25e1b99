import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  assertEndedInOrder,
  type Busy,
  busyServer,
  endBy,
  idleServer,
  isDying,
  orKilled,
  startingServer,
  Ways,
} from './support/ending-server.js';
import { until } from './support/until.js';

/** Two programs at once: how long an ordinary end may take on a machine that is busy. */
const ORDERLY_MS = 10_000;
const PING = '{"jsonrpc":"2.0","id":4711,"method":"ping"}\n';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

describe('every way a server ends in order, with two programs running and three queued', () => {
  const ways = new Ways();

  test('end of standard input', async () => {
    const busy = await busyServer();
    const end = await endBy(busy, ORDERLY_MS, () => busy.server.client.close());
    assertEndedInOrder(end, /end of standard input/);
    await ways.add('end of standard input', busy, end, 0);
  });

  for (const signal of SIGNALS) {
    test(signal, async () => {
      const busy = await busyServer();
      const end = await endBy(busy, ORDERLY_MS, () => process.kill(busy.server.pid, signal));
      assertEndedInOrder(end, new RegExp(`^${signal}$`));
      await ways.add(signal, busy, end, 0);
    });
  }

  test('standard output breaks', async () => {
    const busy = await busyServer();
    const { process: child } = busy.server;
    const end = await endBy(busy, ORDERLY_MS, () => {
      child.stdout.destroy();
      child.stdin.write(PING);
    });
    assertEndedInOrder(end, /standard output: .*EPIPE/);
    await ways.add('standard output breaks', busy, end, 0);
  });

  test('the client is killed: every pipe breaks at once, the log too', async () => {
    const busy = await busyServer();
    const { process: child } = busy.server;
    const end = await endBy(busy, ORDERLY_MS, () => {
      for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
    });
    assert.deepEqual([end.code, end.signal, end.left], [0, null, []]);
    await ways.add('every pipe breaks', busy, end, 0);
  });

  test('nothing runs, but a bpftrace stands by: end of standard input, SIGTERM', async () => {
    const left = await idleServer();
    const end = await endBy(left, ORDERLY_MS, () => left.server.client.close());
    assert.deepEqual([end.code, end.signal, end.left], [0, null, []]);
    await ways.add('end of input, idle', left, end, 0);
    const told = await idleServer();
    const signalled = await endBy(told, ORDERLY_MS, () => process.kill(told.server.pid, 'SIGTERM'));
    assert.deepEqual([signalled.code, signalled.signal, signalled.left], [0, null, []]);
    assert.deepEqual(
      signalled.log.map(({ msg }) => msg).filter(msg => msg !== 'serving MCP'),
      ['shutting down', 'ended'],
    );
    await ways.add('SIGTERM, idle', told, signalled, 0);
  });

  test('SIGTERM while the programs are starting', async () => {
    const busy = await startingServer();
    const end = await endBy(busy, ORDERLY_MS, () => process.kill(busy.server.pid, 'SIGTERM'));
    assert.deepEqual([end.code, end.signal, end.left], [0, null, []]);
    const ends = end.log.filter(({ msg }) => msg === 'execution');
    assert.deepEqual(
      ends.map(({ status, endedBy }) => [status, endedBy]),
      Array(5).fill(['stopped', 'shutdown']),
    );
    await ways.add('SIGTERM while starting', busy, end, 0);
  });

  test('the table', t => {
    for (const line of ways.lines) t.diagnostic(line);
    assert.equal(ways.lines.length, 10);
  });
});

/** Detaching it takes the kernel seconds where RCU is slow (72 ms a probe and process on Linux 6.18), and nothing elsewhere. */
const SLOW_END = 'tracepoint:syscalls:sys_enter_s* { @[probe] = count(); }';
const DETACH_MS = 60_000;

describe('a server in a hurry, with programs whose end takes the kernel long', () => {
  const ways = new Ways();
  const openFiles = (pid: number): number => {
    try {
      return readdirSync(`/proc/${pid}/fd`).length;
    } catch {
      return 0;
    }
  };

  /** Sends SIGTERM and waits until every child has begun to detach. */
  async function beginEnding({ server, children }: Busy): Promise<void> {
    const before = children.map(openFiles);
    process.kill(server.pid, 'SIGTERM');
    await orKilled(server, () =>
      until('they detach', 20_000, () => children.every((pid, i) => openFiles(pid) < (before[i] ?? 0))),
    );
  }

  test('a second signal: the server goes within seconds, and leaves nothing but what the kernel tears down', async () => {
    const busy = await busyServer(SLOW_END);
    await beginEnding(busy);
    const end = await endBy(busy, 3000 + 3000, () => process.kill(busy.server.pid, 'SIGTERM'));
    assert.deepEqual([end.code, end.signal], [0, null]);
    assert.ok(end.left.every(isDying), 'a child was neither gone nor killed');
    const said = end.log.some(({ msg }) => msg.startsWith('children were killed'));
    assert.equal(said, end.left.length > 0);
    const ends = end.log.filter(({ msg }) => msg === 'execution');
    assert.ok(ends.length >= 3 && ends.length <= 5, `${ends.length} lines of executions`);
    for (const { status, endedBy } of ends) assert.deepEqual([status, endedBy], ['stopped', 'shutdown']);
    assert.equal(end.log.at(-1)?.msg, 'ended');
    await ways.add('SIGTERM, SIGTERM', busy, end, DETACH_MS);
  });

  test('one signal: the server hurries by itself', async () => {
    const busy = await busyServer(SLOW_END);
    // 5 s of patience, 3 s for the killed ones, and what a busy machine adds.
    const end = await endBy(busy, 5000 + 3000 + 4000, () => process.kill(busy.server.pid, 'SIGTERM'));
    assert.deepEqual([end.code, end.signal], [0, null]);
    assert.ok(end.left.every(isDying), 'a child was neither gone nor killed');
    await ways.add('SIGTERM, slow children', busy, end, DETACH_MS);
  });

  test('the table', t => {
    for (const line of ways.lines) t.diagnostic(line);
    assert.equal(ways.lines.length, 3);
  });
});
