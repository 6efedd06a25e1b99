import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../../src/engine/index.js';
import { bpftracesOf } from '../../test/support/processes.js';
import { BPFTRACE } from '../../test/support/server.js';
import { until } from '../../test/support/until.js';
import { cpuTicks, waitsForEvents } from '../../workers/procfs.js';
import type { FloodReport } from './index.js';

/** The process whose event loop is watched: with the engine in it (`engine`), or with nothing beside bpftraces that print to /dev/null (`bare`) or to a `cat` (`piped`). Prints a report as JSON. */
const [kind, floods, seconds, program = ''] = process.argv.slice(2);
/** Until everybody has got going, and what is compiled late has been. */
const SETTLE_MS = 1500;
const TICK_MS = 10;
const BOUND = { boundMs: 30_000 };
const COUNT = Number(floods);

function written(): number {
  return pids.reduce((sum, pid) => sum + writesOf(pid), 0);
}

function writesOf(pid: number): number {
  return Number(/^syscw: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

function bpftraceCpuMs(): number {
  return pids.reduce((sum, pid) => sum + (cpuTicks(pid) ?? Number.NaN) * TICK_MS, 0);
}

async function measure(look: () => void): Promise<FloodReport> {
  await sleep(SETTLE_MS);
  process.stdout.write('begun\n');
  const before = { lines: written(), bpftrace: bpftraceCpuMs(), own: process.cpuUsage() };
  await sleep(Number(seconds) * 1000);
  const own = process.cpuUsage(before.own);
  const counted = {
    lines: written() - before.lines,
    bpftraceCpuMs: bpftraceCpuMs() - before.bpftrace,
    cpuMs: (own.user + own.system) / 1000,
  };
  process.stdout.write('counted\n');
  // Afterwards, since it wakes the thread a thousand times a second.
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let second = 0; second < Number(seconds); second++) {
    look();
    await sleep(1000);
  }
  delay.disable();
  // The histogram holds the whole interval of the timer, which is 1 ms when nothing is late.
  return { ...counted, delayP99Ms: delay.percentile(99) / 1e6 };
}

function floodPids(): number[] {
  return bpftracesOf(process.pid)
    .filter(({ command }) => !command.startsWith('sh '))
    .map(({ pid }) => pid);
}

let pids: number[] = [];
let report: FloodReport;
if (kind === 'engine') {
  const engine = createEngine({ bpftrace: BPFTRACE, concurrency: COUNT, floodBytesPerS: 0 });
  const me = engine.as('bench');
  const ids = Array.from({ length: COUNT }, (_, i) =>
    me.submit({ program: `${program} // ${i}`, deadlineMs: 55_000 }),
  );
  for (const id of ids) await me.untilSettled(id, BOUND);
  pids = floodPids();
  report = await measure(() => {
    for (const id of ids) me.result(id, { limit: 1000 });
  });
  for (const id of ids)
    if (me.result(id, { limit: 0 }).status !== 'running') throw new Error(`${id} did not run to the end`);
  await engine.close({ hurry: true });
} else {
  const raw: ChildProcess[] = [];
  const command = kind === 'bare' ? 'exec "$0" -f json - > /dev/null' : '"$0" -f json - | cat > /dev/null';
  for (let i = 0; i < COUNT; i++) {
    const child = spawn('sh', ['-c', command, BPFTRACE], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin?.end(program);
    raw.push(child);
  }
  await until('all are attached', BOUND.boundMs, () => {
    pids = floodPids();
    return pids.length === COUNT && pids.every(pid => waitsForEvents(pid) === true || writesOf(pid) > 100);
  });
  report = await measure(() => {});
  const gone = raw.map(child => once(child, 'exit'));
  // Nobody reads its maps.
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await Promise.all(gone);
}
process.stdout.write(JSON.stringify(report));
