import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.js';
import { compare, type Side } from '../figure.js';
import { startFlood } from '../flooding.js';
import { alternate, type Sample, samplesOf } from '../pairs.js';

const PAIRS = 5;
/** For what is counted, and then as long again for the delay. */
const SECONDS = 3;
const FLOODS = [1, 4];
/** Lines of 80 bytes, numbers of six digits included. */
const TEXT = 'of many that come one after another and are eighty bytes long, more or less';
const LINES_MIN = 10_000;

export type Kind = 'engine' | 'bare' | 'piped';

export interface FloodReport {
  /** 99th percentile of the event loop's delay. */
  delayP99Ms: number;
  /** Written by all bpftraces, as the kernel counts their writes. */
  lines: number;
  /** Of all bpftraces. */
  bpftraceCpuMs: number;
  /** Of the process that is watched, all its threads. */
  cpuMs: number;
}

/**
 * bpftraces that print as fast as they can. Ours: a process that runs the engine, and, while its delay is measured, has a look at 1,000 lines
 * every second. Beside it: a process that does nothing at all, while the same bpftraces print to /dev/null; and
 * the same into a pipe to `cat`, since a write to a pipe costs bpftrace more than one to /dev/null.
 */
export const flood: Bench = {
  name: 'flood',
  about: `1 and 4 bpftraces print lines of 80 bytes as fast as they can, for ${2 * SECONDS} s; beside the same to /dev/null and an idle Node; ${PAIRS} pairs`,
  guarded: true,
  async run({ figure, pairs }) {
    for (const floods of FLOODS) {
      const samples = await alternate(pairs(PAIRS), {
        ours: () => measure('engine', floods),
        bare: () => measure('bare', floods),
        piped: () => measure('piped', floods),
      });
      const side = (from: readonly Sample[], name: string, value: string): Side => ({
        name,
        samples: samplesOf(from, value),
      });
      const with_ = `with ${floods}`;
      figure(
        compare({
          name: `processor time of a line, ${with_}`,
          unit: 'µs',
          ours: side(samples.ours, 'the server', 'cpuUs'),
          rival: side(samples.ours, 'bpftrace itself', 'bpftraceUs'),
          wanted: { atMost: 0.15 },
          guard: { atMost: 0.3 },
        }),
      );
      figure(
        compare({
          name: `bpftrace's processor time of a line, ${with_}`,
          unit: 'µs',
          ours: side(samples.ours, 'to the server', 'bpftraceUs'),
          rival: side(samples.bare, 'to /dev/null', 'bpftraceUs'),
        }),
      );
      figure(
        compare({
          name: `events that become lines, ${with_}`,
          unit: '%',
          ours: side(samples.ours, 'to the server', 'kept'),
          rival: side(samples.bare, 'to /dev/null', 'kept'),
          wanted: { atLeast: 0.95 },
          guard: { atLeast: 0.5 },
          note: 'the others are lost in the kernel',
        }),
      );
      figure(
        compare({
          name: `event-loop delay p99, ${with_}`,
          unit: 'ms',
          ours: side(samples.ours, 'main thread', 'delay'),
          rival: side(samples.bare, 'idle Node', 'delay'),
          wanted: { atMost: 2 },
          guard: { atMost: 5 },
        }),
      );
      figure(
        compare({
          name: `lines absorbed, ${with_}`,
          unit: 'lines/s',
          ours: side(samples.ours, 'the server', 'rate'),
          rival: side(samples.piped, '| cat > /dev/null', 'rate'),
        }),
      );
    }
  },
};

async function measure(kind: Kind, floods: number): Promise<Sample> {
  const { program, writes, stop } = startFlood(TEXT);
  try {
    const file = fileURLToPath(new URL('./host.js', import.meta.url));
    const host = spawn(process.execPath, [file, kind, String(floods), String(SECONDS), program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    let [before, after] = [0, 0];
    host.stdout.on('data', chunk => {
      // It says when it begins to count, and when it has.
      if (printed === '') before = writes();
      else after ||= writes();
      printed += chunk;
    });
    await once(host, 'close');
    const report: FloodReport = JSON.parse(printed.slice(printed.indexOf('{')));
    const { lines, cpuMs, bpftraceCpuMs, delayP99Ms } = report;
    if (lines < LINES_MIN) throw new Error(`${lines} lines are no flood`);
    return {
      values: {
        delay: delayP99Ms,
        cpuUs: (cpuMs * 1000) / lines,
        bpftraceUs: (bpftraceCpuMs * 1000) / lines,
        kept: (100 * lines) / ((after - before) * floods),
        rate: lines / SECONDS,
      },
      work: { floods, seconds: SECONDS },
    };
  } finally {
    stop();
  }
}
