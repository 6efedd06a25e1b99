import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TICKS } from '../support/ending-server.js';
import { folder } from '../support/fake-bpftrace.js';
import { untilEnded } from '../support/run-to-end.js';
import { until } from '../support/until.js';
import { BOUND_MS, childOf, type Fault } from './fault.js';

/** Loaded into every thread of the server before anything of ours. */
const preloaded = (script: string): string => `--import=data:text/javascript,${encodeURIComponent(script)}`;

const signalFile = join(folder, 'signal-to-threads');
/** The worker thread that finds the file does that. */
const inThread = (does: string): string =>
  preloaded(`
  import { unlinkSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (!isMainThread) setInterval(() => {
    try { unlinkSync(${JSON.stringify(signalFile)}); } catch { return; }
    ${does}
  }, 10).unref();`);
const EXHAUSTED = inThread('for (const taken = [];;) taken.push(new Array(10_000).fill(taken.length));');
const LEFT = inThread('process.exit(3);');

/** The time of day is a day off, now ahead and now behind, at every look. */
const JUMPING = preloaded(`
  const Real = Date;
  let looks = 0;
  const now = () => Real.now() + (looks++ % 2 ? 1 : -1) * 86_400_000;
  globalThis.Date = class extends Real {
    constructor(...given) { given.length > 0 ? super(...given) : super(now()); }
    static now() { return now(); }
  };`);

/** A thread, the clock, the machine below the server. */
export const SERVER_FAULTS: readonly Fault[] = [
  {
    fault: 'a worker thread runs out of memory',
    seen: '`failed`, `worker_crashed`; a new thread takes the next program',
    env: { NODE_OPTIONS: `--max-old-space-size=64 ${EXHAUSTED}` },
    // The thread that could have reaped it is gone.
    zombies: 1,
    async happen(server) {
      const first = await server.result('exec_program', { program: TICKS, timeout: 60 });
      assert.equal(first.status, 'running');
      writeFileSync(signalFile, '');
      const { status, reason, error_message } = await untilEnded(server, first);
      assert.equal(existsSync(signalFile), false);
      assert.deepEqual([status, reason], ['failed', 'worker_crashed']);
      assert.match(error_message ?? '', /out of memory|memory limit/i);
    },
  },
  {
    fault: 'a worker thread ends in the middle of a program',
    seen: '`failed`, `worker_crashed`; a new thread takes the next program',
    env: { NODE_OPTIONS: LEFT },
    zombies: 1,
    async happen(server) {
      const first = await server.result('exec_program', { program: TICKS, timeout: 60 });
      assert.equal(first.status, 'running');
      writeFileSync(signalFile, '');
      const { status, reason } = await untilEnded(server, first);
      assert.deepEqual([status, reason], ['failed', 'worker_crashed']);
    },
  },
  {
    fault: 'the clock jumps by a day, back and forth',
    seen: 'nothing: deadlines, durations and the age of results go by the monotonic clock',
    env: { NODE_OPTIONS: JUMPING },
    flags: ['--result-ttl-s', '600'],
    async happen(server) {
      const begun = performance.now();
      const started = await server.result('exec_program', { program: TICKS, timeout: 1, wait: 30 });
      const { status, ended_by, duration, maps, execution_id } = await untilEnded(server, started);
      const passed = (performance.now() - begun) / 1000;
      assert.deepEqual([status, ended_by, maps.length], ['completed', 'deadline', 1]);
      assert.ok(duration >= 0.99 && duration <= passed, `${duration} s of ${passed} s`);
      const dates = (await server.executions()).map(one => Date.parse(one.submitted_at));
      assert.ok(
        dates.every(date => Math.abs(date - Date.now()) > 43_200_000),
        'the clock does jump',
      );
      assert.equal((await server.result('get_result', { execution_id })).status, 'completed');
    },
  },
  {
    fault: 'the server gets no processor for seconds (SIGSTOP), over the deadline of a program that floods',
    seen: '`completed` by its deadline, maps and all',
    async happen(server) {
      const line = `printf("${'x'.repeat(500)}\\n");`;
      const program = `interval:ms:1 { @ = count(); unroll(4) { ${line} } }`;
      const started = await server.result('exec_program', { program, timeout: 2 });
      process.kill(server.pid, 'SIGSTOP');
      // The fault itself: so long it lasts.
      await sleep(3000);
      process.kill(server.pid, 'SIGCONT');
      const { status, ended_by, maps, exit_code } = await untilEnded(server, started);
      assert.deepEqual([status, ended_by, exit_code], ['completed', 'deadline', 0]);
      assert.deepEqual(
        maps.map(({ name }) => name),
        ['@'],
      );
    },
  },
  {
    fault: 'the server is killed while its child hangs (SIGSTOP)',
    seen: 'no bpftrace is left',
    endsServer: true,
    async happen(server, { watch }) {
      await server.result('exec_program', { program: TICKS, timeout: 60 });
      const child = await childOf(server);
      watch(child);
      process.kill(child, 'SIGSTOP');
      process.kill(server.pid, 'SIGKILL');
      await until('it is gone', BOUND_MS, () => server.process.signalCode === 'SIGKILL');
    },
  },
];
