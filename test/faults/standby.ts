import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostInfo } from '../../src/engine/index.js';
import { isOutOfAction } from '../../workers/procfs.js';
import { groupRoot, newGroup } from '../support/control-group.js';
import { folder, shell } from '../support/fake-bpftrace.js';
import { bpftracesOf, isAlive } from '../support/processes.js';
import { BPFTRACE, type ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';
import { BOUND_MS, childOf, type Fault } from './fault.js';

const LOST = '"msg":"a bpftrace that stood by was lost"';
const SHORT = { program: 'BEGIN { printf("ran\\n"); exit(); }', wait: 30 };

const wrapper = join(folder, 'replaced-bpftrace');
function writeWrapper(comment: string): void {
  writeFileSync(wrapper, `#!/bin/sh\n# ${comment}\nexec ${BPFTRACE} "$@"\n`, { mode: 0o755 });
}
writeWrapper('the first');

const meminfo = join(folder, 'meminfo');
function sayAvailable(mebibytes: number): void {
  writeFileSync(meminfo, `MemTotal: 16777216 kB\nMemFree: 1024 kB\nMemAvailable: ${mebibytes * 1024} kB\n`);
}
sayAvailable(8192);

async function assertRuns(server: ServerUnderTest): Promise<void> {
  const { status, output, diagnostics, error_message } = await server.result('exec_program', SHORT);
  assert.deepEqual([status, output, diagnostics], ['completed', ['ran'], []], error_message);
}

/** The bpftrace that waits, before any program has come. */
export const STANDBY_FAULTS: readonly Fault[] = [
  {
    fault: 'the bpftrace that stands by is killed',
    seen: 'nothing: the next program is started without; the log tells',
    standby: 1,
    async happen(server) {
      // Twice: the program comes before the end of the first is noticed, and after that of the second.
      const first = await childOf(server);
      process.kill(first, 'SIGKILL');
      await assertRuns(server);
      const second = await until('another stands by', BOUND_MS, () => bpftracesOf(server.pid)[0]?.pid);
      const told = server.log.split(LOST).length;
      process.kill(second, 'SIGKILL');
      await until('the log tells', BOUND_MS, () => server.log.split(LOST).length > told);
      await assertRuns(server);
    },
  },
  {
    fault: 'the bpftrace that stands by hangs (SIGSTOP)',
    seen: 'nothing: the next program is started without, and the hanging one is ended',
    standby: 1,
    async happen(server, { watch }) {
      const hanging = await childOf(server);
      watch(hanging);
      process.kill(hanging, 'SIGSTOP');
      // It stops when it gets the CPU for it.
      await until('it is stopped', BOUND_MS, () => isOutOfAction(hanging));
      await assertRuns(server);
      assert.equal(isAlive(hanging), false);
      assert.ok(server.log.includes(LOST));
    },
  },
  {
    fault: "bpftrace's file is replaced while one stands by",
    seen: 'the next program runs on the new file',
    flags: ['--bpftrace', wrapper],
    standby: 1,
    async happen(server) {
      const old = await childOf(server);
      writeWrapper('another');
      const program = 'interval:ms:100 { @ = count(); }';
      const { execution_id } = await server.result('exec_program', { program, timeout: 60 });
      const now = bpftracesOf(server.pid).map(({ pid }) => pid);
      assert.equal(now.length, 1);
      assert.ok(!now.includes(old), `${old} is not one of ${now}`);
      assert.equal(isAlive(old), false);
      assert.equal((await server.result('stop_program', { execution_id })).maps.length, 1);
      assert.ok(!server.log.includes(LOST), 'that is no loss');
    },
  },
  {
    fault: 'memory runs short while a bpftrace stands by',
    seen: 'it is ended, as everything is when that is distress; none is started before 512 MiB are available',
    standby: 1,
    // A mount namespace of its own, in which the test says how much memory there is.
    node: shell(
      `exec unshare -m --propagation private sh -c 'mount --bind ${meminfo} /proc/meminfo; exec ${process.execPath} "$@"' sh "$@"`,
    ),
    async happen(server, { say }) {
      const standby = await childOf(server);
      sayAvailable(100);
      await until('it is ended', BOUND_MS, () => !isAlive(standby));
      sayAvailable(300);
      await until('a program is taken', BOUND_MS, async () => {
        return !(await server.call('exec_program', SHORT)).isError;
      });
      const info = (await server.call('bpf_info')).structured as HostInfo;
      assert.deepEqual([info.queue.standby, bpftracesOf(server.pid)], [0, []]);
      sayAvailable(8192);
      await until('another stands by', BOUND_MS, async () => {
        // A call of any tool has one started.
        await server.executions();
        return bpftracesOf(server.pid).length === 1;
      });
      if (groupRoot('memory') === undefined) return say('and no control group can be made here');
      const group = newGroup('memory');
      const limit = group.has('memory.max') ? 'memory.max' : 'memory.limit_in_bytes';
      group.write(limit, `${400 * 2 ** 20}`);
      group.add(server.pid);
      assert.equal((await server.result('exec_program', SHORT)).status, 'completed');
      await server.executions();
      const { queue } = (await server.call('bpf_info')).structured as HostInfo;
      assert.equal(queue.standby, 0, 'what a control group leaves counts too');
      group.write(limit, '8G');
      await server.executions();
    },
  },
];
