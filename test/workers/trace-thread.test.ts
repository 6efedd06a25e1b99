import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { childEnvironment, TRACE_ARGS } from '../../src/bpftrace/spawn-plan.js';
import { decodeBoard } from '../../src/contract/board.js';
import { Phase, WORD } from '../../src/contract/cell.js';
import { RingViews } from '../../src/contract/ring.js';
import type { SpawnPlan, TraceOutcome } from '../../src/contract/trace.js';
import { type Crash, type LiveTrace, TracePool } from '../../src/pool/trace-pool.js';
import { launcherFor } from '../../src/privilege/gain.js';
import { groupMembers, SLEEP, sayLine, shell } from '../support/fake-bpftrace.js';
import { isAlive } from '../support/processes.js';
import { BPFTRACE, ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';

/** What a client never sees: the worker's own outcome, its thread, its memory. */

const launcher = launcherFor(BPFTRACE);
const launched = (path: string): SpawnPlan =>
  launcher.plan(path, TRACE_ARGS, 60_000, childEnvironment(process.env));

function startOn(pool: TracePool, spawn: SpawnPlan, program = 'BEGIN'): LiveTrace {
  const bounds = { deadlineMs: 60_000, startTimeoutMs: 60_000, graceMs: 5000, graceMaxMs: 60_000 };
  return pool.start({
    spawn,
    program,
    programMaps: { maps: [] },
    ...bounds,
    mapBytesMax: 65_536,
    maxLines: 100,
  });
}

function newPool(): TracePool {
  return new TracePool({ threads: 2, maxLines: 100, maxOutputBytes: 1_048_576, maxMapBytes: 65_536 });
}

async function withPool<T>(use: (pool: TracePool) => Promise<T>): Promise<T> {
  const pool = newPool();
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

function notCrashed(outcome: TraceOutcome | Crash): TraceOutcome {
  if ('crashed' in outcome) throw new Error(`the worker crashed: ${outcome.crashed}`);
  return outcome;
}

describe('trace: the outcome', () => {
  test('a command that does not exist', async () => {
    await withPool(async pool => {
      const live = startOn(pool, { command: '/no/such/command', args: [], env: {} });
      const { spawnError, exitCode, attached } = notCrashed(await live.outcome);
      assert.deepEqual(spawnError, { code: 'ENOENT', message: 'spawn /no/such/command ENOENT' });
      assert.deepEqual([exitCode, attached], [null, false]);
    });
  });

  test('a command that Node refuses, and one whose arguments are longer than the kernel takes', async () => {
    await withPool(async pool => {
      const refused = startOn(pool, { command: 'a\0b', args: [], env: {} });
      assert.equal(notCrashed(await refused.outcome).spawnError?.code, 'ERR_INVALID_ARG_VALUE');
      const long = startOn(pool, { command: '/bin/true', args: ['x'.repeat(4_000_000)], env: {} });
      assert.equal(notCrashed(await long.outcome).spawnError?.code, 'E2BIG');
    });
  });

  test('every byte that a cut line lost is counted', async () => {
    await withPool(async pool => {
      const flood = shell("head -c 100000000 /dev/zero | tr '\\0' x", 'echo', sayLine('after'));
      const { lines } = notCrashed(await startOn(pool, launched(flood)).outcome);
      assert.equal(new RingViews(lines).droppedBytes, 100_000_000 - 65_536);
    });
  });

  test('a process of another session that holds the pipes keeps no file of ours open, and is not called left behind', async t => {
    const untilItLeads = 'until [ "$(cut -d" " -f6 /proc/$!/stat)" = $! ]; do sleep 0.01; done';
    const leaver = shell('exec 3<&0', 'setsid sleep 1000 <&3 &', 'echo $! >&2', untilItLeads, 'exit 0');
    await withPool(async pool => {
      notCrashed(await startOn(pool, launched(shell('exit 0'))).outcome);
      const openFiles = (): number => readdirSync('/proc/self/fd').length;
      const before = openFiles();
      // More than a pipe holds: a part of it is never read.
      const live = startOn(pool, launched(leaver), `BEGIN //${'x'.repeat(4_000_000)}`);
      const { leftBehind, exitCode, board } = notCrashed(await live.outcome);
      const sleeper = Number(decodeBoard(board).stderr);
      t.after(() => process.kill(sleeper, 'SIGKILL'));
      assert.deepEqual([exitCode, leftBehind, isAlive(sleeper)], [0, false, true]);
      await until('its pipes are closed', 2000, () => openFiles() <= before);
    });
  });

  test('a group that the kernel is slow to tear down is given up on, and said to be left behind', async t => {
    const wrapper = shell(`'${BPFTRACE}' "$@"`);
    await withPool(async pool => {
      const live = startOn(
        pool,
        launched(wrapper),
        'tracepoint:syscalls:sys_enter_s* { @[probe] = count(); }',
      );
      await until('it runs', 30_000, () => live.cell.load(WORD.PHASE) === Phase.running);
      const group = live.cell.load(WORD.PID);
      assert.ok(groupMembers(group).length >= 2, 'the shell and bpftrace');
      process.kill(group, 'SIGKILL'); // The shell alone.
      const { leftBehind, signal } = notCrashed(await live.outcome);
      assert.equal(signal, 'SIGKILL');
      // Detaching 70 probes takes seconds where RCU is slow, and nothing elsewhere: both are right.
      const left = groupMembers(group).length;
      t.diagnostic(`left behind: ${leftBehind}, ${left} processes`);
      assert.ok(leftBehind || left === 0, `${left} processes that nothing was said of`);
      await until('the kernel has torn it down', 60_000, () => groupMembers(group).length === 0);
    });
  });
});

describe('trace: the thread', () => {
  test('a thread that is ended takes its child along', async () => {
    const pool = newPool();
    const live = startOn(pool, launched(shell(sayLine(), SLEEP)));
    await until('it runs', 10_000, () => live.cell.load(WORD.PHASE) === Phase.running);
    const pid = live.cell.load(WORD.PID);
    assert.equal(isAlive(pid), true);
    await pool.close();
    const outcome = await live.outcome;
    assert.match('crashed' in outcome ? outcome.crashed : '', /terminat/i);
    await until('the child is gone', 2000, () => groupMembers(pid).length === 0);
  });
});

describe('trace: no files left', () => {
  test('a child that can not be started for want of files fails clearly, and the next one runs', async () => {
    const server = await ServerUnderTest.start(['--concurrency', '1', '--standby', '0']);
    const limitFiles = (soft: number | string): void => {
      execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${soft}:`]);
    };
    const program = 'BEGIN { printf("ran\\n"); exit(); }';
    try {
      assert.equal((await server.result('exec_program', { program, wait: 30 })).status, 'completed');
      limitFiles(readdirSync(`/proc/${server.pid}/fd`).length + 2);
      const failed = await server.result('exec_program', { program, wait: 30 });
      assert.deepEqual([failed.status, failed.reason], ['failed', 'start_failed']);
      assert.match(
        failed.error_message ?? '',
        /^bpftrace could not be started: .* EMFILE; lower --concurrency/,
      );
      limitFiles(1024);
      assert.equal((await server.result('exec_program', { program, wait: 30 })).status, 'completed');
    } finally {
      assert.deepEqual(await server.close(), { code: 0, signal: null });
    }
  });
});
