import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.js';
import { show, spreadOf } from './statistics.js';

/** Pairs of a run of ours and a run of the bare process, one after the other, so that drift hits both. */
const PAIRS = 5;
const SECONDS = 4;

export interface FloodReport {
  /** 99th percentile and median of the event loop's delay, ms. */
  delayP99Ms: number;
  delayP50Ms: number;
  lines: number;
  lostEvents: number;
  /** Each look: `get_result` of 1,000 lines through the engine, ms. */
  looksMs: number[];
}

/**
 * One bpftrace that prints as fast as it can. Ours: a process that runs the engine, with a look at 1,000 lines
 * every 100 ms. Beside it: a process that does nothing at all, while the same bpftrace prints to /dev/null.
 */
export const flood: Bench = {
  name: 'flood',
  about: `event-loop delay of the main thread in a flood, beside an idle process under the same load; ${PAIRS} pairs of ${SECONDS} s`,
  async run({ say }) {
    const ours: FloodReport[] = [];
    const bare: FloodReport[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      ours.push(await host('engine'));
      bare.push(await host('bare'));
    }
    for (const { lines } of ours) if (lines < 10_000) throw new Error(`${lines} lines are no flood`);
    const of = (reports: FloodReport[], pick: (report: FloodReport) => number) => spreadOf(reports.map(pick));
    const ratios = ours.map((report, i) => report.delayP99Ms / (bare[i]?.delayP99Ms ?? Number.NaN));
    const looks = ours.flatMap(report => report.looksMs).sort((a, b) => a - b);
    say(
      `  lines/s absorbed           ${show(
        of(ours, report => report.lines / SECONDS),
        0,
      )}`,
    );
    say(
      `  lost by the kernel, events ${show(
        of(ours, report => report.lostEvents),
        0,
      )}`,
    );
    say(`  delay p99, ours, ms        ${show(of(ours, report => report.delayP99Ms))}`);
    say(`  delay p99, bare, ms        ${show(of(bare, report => report.delayP99Ms))}`);
    say(`  ratio of the two           ${show(spreadOf(ratios))}`);
    say(
      `  look at 1,000 lines, ms    median ${percentile(looks, 50).toFixed(2)}, p99 ${percentile(looks, 99).toFixed(2)}`,
    );
  },
};

async function host(kind: 'engine' | 'bare'): Promise<FloodReport> {
  const busy = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
  const program = `tracepoint:syscalls:sys_enter_write /pid == ${busy.pid}/ { @n++; printf("line %d of many that come one after another\\n", @n); }`;
  let raw: ChildProcess | undefined;
  if (kind === 'bare') {
    const bpftrace = process.env.BPFTRACE_MCP_BPFTRACE ?? 'bpftrace';
    raw = spawn('sh', ['-c', `exec "$0" -f json - > /dev/null 2>&1`, bpftrace], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    raw.stdin?.end(program);
  }
  try {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./flood-host.js', import.meta.url)), kind, String(SECONDS), program],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let printed = '';
    child.stdout.on('data', chunk => {
      printed += chunk;
    });
    await once(child, 'close');
    return JSON.parse(printed);
  } finally {
    busy.kill('SIGKILL');
    if (raw) {
      // Nobody reads its maps.
      const gone = once(raw, 'exit');
      raw.kill('SIGKILL');
      await gone;
    }
  }
}

function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
