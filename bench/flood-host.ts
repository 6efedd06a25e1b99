import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../src/engine/index.js';
import type { FloodReport } from './flood.js';

/** The process whose event loop is watched: with the engine in it, or with nothing. Prints a report as JSON. */
const [kind, seconds, program] = process.argv.slice(2);
const durationMs = Number(seconds) * 1000;
const LOOK_EVERY_MS = 100;
/** Until the flood of the bare run has begun too. */
const SETTLE_MS = 300;

const delay = monitorEventLoopDelay({ resolution: 1 });
const report: FloodReport = { delayP99Ms: 0, delayP50Ms: 0, lines: 0, lostEvents: 0, looksMs: [] };

if (kind === 'engine') {
  const engine = createEngine({ bpftrace: process.env.BPFTRACE_MCP_BPFTRACE ?? 'bpftrace' });
  const me = engine.as('bench');
  const id = me.submit({ program: program ?? '', deadlineMs: durationMs + 10_000 });
  await me.untilSettled(id, { boundMs: 20_000 });
  await sleep(SETTLE_MS);
  const before = me.result(id, { limit: 0 }).lines_total;
  delay.enable();
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const begun = performance.now();
    me.result(id, { limit: 1000 });
    report.looksMs.push(performance.now() - begun);
    await sleep(LOOK_EVERY_MS);
  }
  delay.disable();
  const after = me.result(id, { limit: 0 });
  report.lines = after.lines_total - before;
  report.lostEvents = after.lost_events;
  await engine.close({ hurry: true });
} else {
  await sleep(SETTLE_MS);
  delay.enable();
  await sleep(durationMs);
  delay.disable();
}
// The histogram holds the whole interval of the timer, which is 1 ms when nothing is late.
report.delayP99Ms = delay.percentile(99) / 1e6;
report.delayP50Ms = delay.percentile(50) / 1e6;
process.stdout.write(JSON.stringify(report));
