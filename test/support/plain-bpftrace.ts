import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../../src/bpftrace/spawn-plan.js';
import { leafProcess, openFiles, waitsForEvents } from '../../workers/procfs.js';

/** bpftrace run by hand, as a person would: text output, Ctrl-C. */
export interface PlainRun {
  attached: boolean;
  exitCode: number | null;
  /** It had to be killed: what it had not printed is lost. */
  killed: boolean;
  stdout: string;
  stderr: string;
}

/** Attaching and detaching hundreds of probes takes the kernel half a minute. */
const ATTACH_BOUND_MS = 60_000;
const END_BOUND_MS = 60_000;

/**
 * Traces `traceMs` from attached on, then interrupts it; nothing of it is left when this returns.
 * @param args a file, or `-e` and a program
 */
export async function runPlain(
  bpftrace: string,
  args: readonly string[],
  traceMs: number,
): Promise<PlainRun> {
  const child = spawn(bpftrace, [...args], {
    env: childEnvironment(process.env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  }
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const gone = new AbortController();
  const closed = once(child, 'close').then(() => gone.abort());
  const pause = (ms: number): Promise<unknown> =>
    sleep(ms, undefined, { signal: gone.signal }).catch(() => {});
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // It ended between the look and the signal.
    }
  };

  const begun = performance.now();
  let attached = false;
  while (!attached && !gone.signal.aborted && performance.now() - begun < ATTACH_BOUND_MS) {
    attached = waitsForEvents(leafProcess(pid)) === true;
    if (!attached) await pause(10);
  }
  if (attached) await pause(traceMs);

  const filesBefore = openFiles(leafProcess(pid));
  const endBegun = performance.now();
  let killed = false;
  for (let name: NodeJS.Signals = 'SIGINT'; !gone.signal.aborted; name = 'SIGTERM') {
    // 0.17 forgets a signal that comes between two waits: one that still waits, all attached, is told again.
    const leaf = leafProcess(pid);
    const deaf = waitsForEvents(leaf) === true && openFiles(leaf) === filesBefore;
    if (name === 'SIGINT' || deaf) signal(name);
    if (performance.now() - endBegun > END_BOUND_MS) {
      killed = true;
      signal('SIGKILL');
    }
    await pause(100);
  }
  await closed;
  return { attached, exitCode: child.exitCode, killed, ...text };
}
