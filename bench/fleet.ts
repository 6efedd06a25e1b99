import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { addToken } from '../src/tokens/edit.js';
import { type AgentsTask, type FleetOutcome, runFleet } from '../test/support/fleet/crew.js';
import { residentMb } from '../test/support/held.js';
import { descendantsOf } from '../test/support/processes.js';
import { SharedServer } from '../test/support/shared-server.js';
import type { Bench, BenchContext } from './bench.js';
import { absolute } from './figure.js';
import { percentileOf, significant } from './statistics.js';

const CLIENTS = 64;
const PROCESSES = 4;
const PROGRAMS = 20;
/** Programs that a client has under way. */
const AT_ONCE = 2;
const LOOK_EVERY_MS = 2000;
const BOUND_MS = 1_800_000;
const WRONG_SHOWN = 10;
const PERCENTILES = [50, 90, 99, 100];

/** One server, 64 agents over HTTP with a token each, and 64 over the Unix socket, in other processes, at once. */
export const fleet: Bench = {
  name: 'fleet',
  about: `${CLIENTS} clients over HTTP and ${CLIENTS} over the Unix socket, ${PROGRAMS} programs each, every result checked`,
  onlyNamed: true,
  async run(context) {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-fleet-'));
    const file = join(folder, 'tokens');
    const tokens = Array.from({ length: CLIENTS }, (_, at) => addToken(file, { name: `agent-${at}` }));
    const server = await SharedServer.start(['--tokens', file]);
    const looks = new Looks(server);
    try {
      const each = CLIENTS / PROCESSES;
      const tasks = Array.from({ length: 2 * PROCESSES }, (_, at): AgentsTask => {
        const overUnix = at >= PROCESSES;
        return {
          url: overUnix ? 'http://localhost/mcp' : server.url,
          ...(overUnix && { socketPath: server.socket }),
          clients: each,
          first: at * each,
          tokens: overUnix ? [] : tokens.slice(at * each, (at + 1) * each),
          programs: PROGRAMS,
          atOnce: AT_ONCE,
        };
      });
      const outcome = await runFleet(tasks, BOUND_MS);
      await looks.end();
      tell(context, outcome, looks, waitsIn(server.log));
      const left = descendantsOf(server.pid).filter(({ command }) => command.includes('bpftrace'));
      context.say(`  afterwards: rss ${residentMb(server.pid)} MB, ${left.length} bpftraces that stand by`);
      if (outcome.wrong.length > 0) throw new Error(outcome.wrong.slice(0, WRONG_SHOWN).join('\n'));
    } finally {
      await looks.end();
      await server.close();
      rmSync(folder, { recursive: true });
    }
  },
};

/** What the server holds and how late its event loop is, looked at from outside all the while. */
class Looks {
  readonly residentMb: number[] = [];
  readonly children: number[] = [];
  /** Of the time between two looks, in ms. */
  readonly loopP99Ms: number[] = [];
  readonly loopMaxMs: number[] = [];
  /** Of this process, which does next to nothing: what the machine's load alone does. */
  readonly idleP99Ms: number[] = [];
  private readonly idle = monitorEventLoopDelay({ resolution: 10 });
  private readonly timer: NodeJS.Timeout;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly server: SharedServer) {
    this.idle.enable();
    this.timer = setInterval(() => {
      this.last = this.last.then(() => this.look()).catch(() => {});
    }, LOOK_EVERY_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    await this.last;
  }

  private async look(): Promise<void> {
    this.idleP99Ms.push(this.idle.percentile(99) / 1e6);
    this.idle.reset();
    const { body } = await this.server.ask({ path: '/metrics', over: 'unix' });
    const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1] ?? 0);
    this.residentMb.push(residentMb(this.server.pid));
    this.children.push(read('bpftrace_mcp_running'));
    this.loopP99Ms.push(read('nodejs_eventloop_lag_p99_seconds') * 1000);
    this.loopMaxMs.push(read('nodejs_eventloop_lag_max_seconds') * 1000);
  }
}

/** In the queue, in ms, of each execution, as the server's own log has it. */
function waitsIn(log: string): number[] {
  return Array.from(log.matchAll(/"queuedMs":(\d+)/g), ([, ms]) => Number(ms));
}

function tell({ say, figure }: BenchContext, outcome: FleetOutcome, looks: Looks, waits: number[]): void {
  const { ids, latenciesMs, tookMs, wrong, busy } = outcome;
  const expected = 2 * CLIENTS * PROGRAMS;
  say(
    `  ${latenciesMs.length} of ${expected} programs, ${ids.length} executions, ${wrong.length} wrong, busy ${busy} times`,
  );
  if (latenciesMs.length !== expected) wrong.push(`${latenciesMs.length} programs of ${expected}`);
  if (new Set(ids).size !== expected) wrong.push(`${new Set(ids).size} executions of ${expected}`);
  const one = (name: string, unit: string, value: number): void =>
    figure(absolute({ name, unit, ours: { name, samples: [value] } }));
  one('throughput', 'programs/s', (latenciesMs.length * 1000) / tookMs);
  one('in all', 's', tookMs / 1000);
  const kinds = [...new Set(latenciesMs.map(({ kind }) => kind))].sort();
  for (const kind of kinds)
    percentiles(
      say,
      kind,
      latenciesMs.filter(one => one.kind === kind).map(({ ms }) => ms),
    );
  percentiles(say, 'time in the queue', waits);
  one('most memory of the server', 'MB', Math.max(...looks.residentMb));
  one('most children at once', '', Math.max(...looks.children));
  one('event loop, p99 of the worst 2 s', 'ms', Math.max(...looks.loopP99Ms));
  one('event loop, median of the p99s', 'ms', percentileOf(looks.loopP99Ms, 50));
  one('the same of an idle process beside it', 'ms', percentileOf(looks.idleP99Ms, 50));
  one('event loop, latest', 'ms', Math.max(...looks.loopMaxMs));
}

function percentiles(say: (line: string) => void, name: string, ms: number[]): void {
  const shown = PERCENTILES.map(p => `p${p} ${significant(percentileOf(ms, p) / 1000)}`).join(', ');
  say(`  ${name.padEnd(20)} ${shown} s (${ms.length})`);
}
