import assert from 'node:assert/strict';
import type { HostInfo } from '../../src/engine/index.js';
import { bpftracesOf, descendantsOf, isAlive } from './processes.js';
import { untilEnded } from './run-to-end.js';
import type { ServerUnderTest } from './server.js';
import { until } from './until.js';

/** 0.27 prints no map that is still empty. */
const TICKS = 'BEGIN { @ = count(); } interval:ms:100 { @ = count(); }';
const GONE_BOUND_MS = 15_000;
const ENDED = { wait: 30 };

/** The processes of one execution: sudo, the supervisor or helper, and bpftrace. */
export async function chainOf(server: ServerUnderTest): Promise<number[]> {
  const found = () =>
    descendantsOf(server.pid).filter(({ command }) => /sudo|supervisor|helper|json/.test(command));
  await until('sudo, supervisor, bpftrace', 10_000, () => found().length >= 3);
  return found().map(({ pid }) => pid);
}

export async function assertGone(what: string, pids: readonly number[]): Promise<void> {
  await until(`${what}: all gone`, GONE_BOUND_MS, () => !pids.some(isAlive));
}

/**
 * What a server that is not root must be able to do: a program that exits, one that its deadline ends, one that does
 * not compile, a stop; and at the end the server is killed. Looks at the process table after each.
 */
export async function liveThrough(
  server: ServerUnderTest,
  mode: HostInfo['privileges'],
  say: (line: string) => void,
): Promise<void> {
  const info = (await server.call('bpf_info')).structured as HostInfo;
  assert.deepEqual([info.privileges, info.children_die_with_server], [mode, true]);

  const exited = await server.result('exec_program', {
    program: 'BEGIN { printf("hi\\n"); exit(); }',
    ...ENDED,
  });
  assert.deepEqual([exited.status, exited.ended_by, exited.output], ['completed', 'exit', ['hi']]);

  const timed = await server.result('exec_program', { program: TICKS, timeout: 1, ...ENDED });
  assert.deepEqual([timed.status, timed.ended_by, timed.exit_code], ['completed', 'deadline', 0]);
  assert.equal(timed.maps.length, 1, 'SIGINT went through and the maps came back');
  assert.ok(timed.duration >= 1, `the deadline counts from attached: ${timed.duration} s`);
  assert.deepEqual(descendantsOf(server.pid), [], 'no child of the server is left after the deadline');

  const wrong = await server.result('exec_program', { program: 'BEGIN { @a = 1; @a = "text"; }', ...ENDED });
  assert.deepEqual([wrong.status, wrong.reason, wrong.diagnostics[0]?.line], ['failed', 'compile_failed', 1]);

  const valid = (await server.call('validate_program', { program: TICKS })).structured;
  assert.equal(valid?.valid, true, JSON.stringify(valid));

  const begun = await server.result('exec_program', { program: TICKS, timeout: 60 });
  assert.equal(begun.status, 'running');
  const { execution_id } = begun;
  const snapshot = await server.result('get_result', { execution_id, snapshot: true });
  assert.deepEqual([snapshot.status, snapshot.maps.length], ['running', 1], 'SIGUSR1 went through');
  const stoppable = await chainOf(server);
  const stopped = await server.result('stop_program', { execution_id });
  assert.deepEqual([stopped.status, stopped.maps.length], ['stopped', 1]);
  await assertGone('after a stop', stoppable);
  assert.deepEqual(descendantsOf(server.pid), [], 'no child of the server is left after a stop');
  say(`after a stop: ${stoppable.length} processes gone`);

  await server.result('exec_program', { program: TICKS, timeout: 60 });
  const orphans = await chainOf(server);
  const killedAt = performance.now();
  server.process.kill('SIGKILL');
  await assertGone('after SIGKILL of the server', orphans);
  const ms = Math.round(performance.now() - killedAt);
  say(`after SIGKILL of the server: ${orphans.length} processes gone in ${ms} ms`);
}

/** The bpftrace that waits for a program, once there is one that is not among `others`. */
function standbyOf(server: ServerUnderTest, others: readonly number[] = []): Promise<number> {
  const found = () =>
    bpftracesOf(server.pid)
      .map(({ pid }) => pid)
      .filter(pid => !others.includes(pid));
  // The supervisor that is about to become bpftrace has its name already, but is no child yet that a signal reaches.
  return until('one stands by', GONE_BOUND_MS, () => found().find(isAlive));
}

/**
 * A server whose bpftrace stands by behind sudo: the next program takes it, with all that one has that was started for
 * its program; and it does not outlive the server.
 */
export async function standBy(server: ServerUnderTest, say: (line: string) => void): Promise<void> {
  const first = await standbyOf(server);
  const begun = await server.result('exec_program', { program: TICKS, timeout: 1 });
  assert.deepEqual([begun.status, begun.diagnostics], ['running', []]);
  const { execution_id } = begun;
  const snapshot = await server.result('get_result', { execution_id, snapshot: true });
  const timed = await untilEnded(server, snapshot);
  assert.deepEqual([timed.status, timed.ended_by, timed.maps.length], ['completed', 'deadline', 1]);
  assert.ok(timed.duration >= 1, `the deadline counts from attached: ${timed.duration} s`);
  await assertGone('the first, after its deadline', [first]);
  const second = await standbyOf(server, [first]);

  const wrong = await server.result('exec_program', { program: 'BEGIN { @a = 1; @a = "text"; }', ...ENDED });
  assert.deepEqual([wrong.status, wrong.reason, wrong.diagnostics[0]?.line], ['failed', 'compile_failed', 1]);
  await assertGone('the second, whose program did not compile', [second]);

  const third = await standbyOf(server);
  const chain = await chainOf(server);
  const killedAt = performance.now();
  server.process.kill('SIGKILL');
  await assertGone('what stood by, after SIGKILL of the server', [third, ...chain]);
  const ms = Math.round(performance.now() - killedAt);
  say(`after SIGKILL of the server: ${chain.length} processes that stood by gone in ${ms} ms`);
}
