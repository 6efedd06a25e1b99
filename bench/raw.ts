import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { BPFTRACE } from '../test/support/server.js';
import { leafProcess, waitsForEvents } from '../workers/procfs.js';

/** What a run of bpftrace by hand says, as JSON, so that its work can be compared. */
export interface RawRun {
  probes: number;
  maps: string[];
  lines: string[];
}

const LOOK_EVERY_MS = 1;
const ATTACH_BOUND_MS = 60_000;

/** `bpftrace -e`, as a user would start it. */
export class RawBpftrace {
  private printed = '';
  private readonly ended: Promise<unknown>;
  readonly child: ChildProcess;

  constructor(program: string) {
    this.child = spawn(BPFTRACE, ['-f', 'json', '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
    this.child.stdout?.on('data', chunk => {
      this.printed += chunk;
    });
    this.ended = once(this.child, 'close');
  }

  /** Until its main thread sleeps in epoll_wait: everything is attached then, on every version. */
  async attached(): Promise<void> {
    const until = performance.now() + ATTACH_BOUND_MS;
    while (waitsForEvents(leafProcess(this.child.pid ?? 0)) !== true) {
      if (this.child.exitCode !== null || performance.now() > until)
        throw new Error(`bpftrace has not attached (exit code ${this.child.exitCode})`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Until it has printed `line`. */
  async says(line: string): Promise<void> {
    const until = performance.now() + ATTACH_BOUND_MS;
    while (!this.printed.includes(line)) {
      if (this.child.exitCode !== null || performance.now() > until)
        throw new Error(`bpftrace has not printed ${line} (exit code ${this.child.exitCode})`);
      await Promise.race([once(this.child.stdout ?? this.child, 'data'), this.ended, sleep(1000)]);
    }
  }

  /** Ends it as Ctrl-C does, and reads what it said. 0.17 misses one at times. */
  async stop(): Promise<RawRun> {
    const again = setInterval(() => this.interrupt(), 500);
    this.interrupt();
    await this.ended;
    clearInterval(again);
    return readRun(this.printed);
  }

  private interrupt(): void {
    try {
      process.kill(leafProcess(this.child.pid ?? 0), 'SIGINT');
    } catch {
      // It has gone.
    }
  }
}

export function readRun(printed: string): RawRun {
  const run: RawRun = { probes: -1, maps: [], lines: [] };
  for (const line of printed.split('\n').filter(Boolean)) {
    const { type, data } = JSON.parse(line);
    if (type === 'attached_probes') run.probes = data.probes;
    else if (type === 'printf') run.lines.push(String(data).trimEnd());
    else if (/^(map|hist|stats|lhist)$/.test(type)) run.maps.push(...Object.keys(data));
  }
  run.maps.sort();
  return run;
}
