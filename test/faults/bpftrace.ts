import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../src/results/result.js';
import { openFiles } from '../../workers/procfs.js';
import { SLOW_START, TICKS } from '../support/ending-server.js';
import { folder } from '../support/fake-bpftrace.js';
import { untilEnded } from '../support/run-to-end.js';
import { BPFTRACE, type ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';
import { BOUND_MS, childOf, type Fault } from './fault.js';

/** No child is given up by the server while a test kills it. */
const PATIENT = ['--grace-s', '60', '--grace-max-s', '600'];
const KILLED = /^bpftrace was ended by SIGKILL, not by this server/;

/** Its bpftrace is stopped, so that it can't go on before it is killed. */
async function killedWhileStarting(
  server: ServerUnderTest,
  isThere: (pid: number) => boolean,
): Promise<Result> {
  const answer = server.result('exec_program', { program: SLOW_START, timeout: 60, wait: 30 });
  const pid = await childOf(server);
  await until('it has come so far', BOUND_MS, () => isThere(pid));
  process.kill(pid, 'SIGSTOP');
  process.kill(pid, 'SIGKILL');
  return answer;
}

async function running(server: ServerUnderTest, program: string, timeout = 60) {
  const { status, execution_id } = await server.result('exec_program', { program, timeout });
  assert.equal(status, 'running');
  return { execution_id, pid: await childOf(server) };
}

const wrapper = join(folder, 'removed-bpftrace');
function writeWrapper(): void {
  writeFileSync(wrapper, `#!/bin/sh\nexec ${BPFTRACE} "$@"\n`, { mode: 0o755 });
}
writeWrapper();

/** The child dies, hangs, or is taken away. */
export const BPFTRACE_FAULTS: readonly Fault[] = [
  {
    fault: 'bpftrace is killed while it compiles',
    seen: '`failed`, `died`: ended by SIGKILL, not by this server',
    async happen(server) {
      const { status, reason, error_message } = await killedWhileStarting(server, () => true);
      assert.deepEqual([status, reason], ['failed', 'died']);
      assert.match(error_message ?? '', KILLED);
    },
  },
  {
    fault: 'bpftrace is killed while it loads and attaches',
    seen: '`failed`, `died`',
    async happen(server) {
      // Its 200 maps are files that it holds.
      const loads = (pid: number): boolean => (openFiles(pid) ?? 0) > 100;
      const { status, reason, error_message } = await killedWhileStarting(server, loads);
      assert.deepEqual([status, reason], ['failed', 'died']);
      assert.match(error_message ?? '', KILLED);
    },
  },
  {
    fault: 'bpftrace is killed while it runs',
    seen: '`failed`, `died`; the lines it had printed are there',
    async happen(server) {
      const program = 'interval:ms:50 { printf("tick\\n"); }';
      const { execution_id, pid } = await running(server, program);
      await server.result('get_result', { execution_id, wait: 30 });
      process.kill(pid, 'SIGKILL');
      const first = await server.result('get_result', { execution_id });
      const { status, reason, error_message, output, exit_code } = await untilEnded(server, first);
      assert.deepEqual([status, reason, exit_code], ['failed', 'died', null]);
      assert.match(error_message ?? '', KILLED);
      assert.equal(output[0], 'tick');
    },
  },
  {
    fault: 'bpftrace is killed while it ends, after `stop_program`',
    seen: '`stopped`, and that maps are lost',
    flags: PATIENT,
    async happen(server) {
      const { execution_id, pid } = await running(server, TICKS);
      process.kill(pid, 'SIGSTOP');
      const answer = server.result('stop_program', { execution_id });
      await until('it is ending', BOUND_MS, async () => {
        return (await server.result('get_result', { execution_id })).ending;
      });
      process.kill(pid, 'SIGKILL');
      const { status, ended_by, error_message, maps } = await untilEnded(server, await answer);
      assert.deepEqual([status, ended_by, maps], ['stopped', 'stop', []]);
      assert.match(error_message ?? '', /^bpftrace was ended by SIGKILL .*maps .* lost$/);
    },
  },
  {
    fault: 'bpftrace hangs (SIGSTOP) when it is to be stopped',
    seen: '`stopped` after the grace period, and that maps are lost',
    flags: ['--grace-s', '1'],
    async happen(server) {
      const { execution_id, pid } = await running(server, TICKS);
      process.kill(pid, 'SIGSTOP');
      const answer = await server.result('stop_program', { execution_id });
      const { status, ended_by, error_message } = await untilEnded(server, answer);
      assert.deepEqual([status, ended_by], ['stopped', 'stop']);
      assert.match(error_message ?? '', /given 1 s without progress.*maps .* lost/);
    },
  },
  {
    fault: 'bpftrace hangs (SIGSTOP) at its deadline',
    seen: '`failed`, `unresponsive`',
    flags: ['--grace-s', '1'],
    async happen(server) {
      const { execution_id, pid } = await running(server, TICKS, 2);
      process.kill(pid, 'SIGSTOP');
      const first = await server.result('get_result', { execution_id });
      const { status, reason } = await untilEnded(server, first);
      assert.deepEqual([status, reason], ['failed', 'unresponsive']);
    },
  },
  {
    fault: "bpftrace's file is removed while a program runs",
    seen: 'it runs on and gives its maps; the next one is refused until the file is back',
    flags: ['--bpftrace', wrapper],
    async happen(server) {
      const { execution_id } = await running(server, 'BEGIN { @ = 1; }');
      rmSync(wrapper);
      const refused = await server.call('exec_program', { program: TICKS });
      assert.equal(refused.isError, true);
      assert.match(refused.text, /^no_bpftrace: /);
      const { status, maps } = await server.result('stop_program', { execution_id });
      assert.deepEqual([status, maps.length], ['stopped', 1]);
      writeWrapper();
    },
  },
];
