import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Deferred } from '../deferred.js';
import type { TraceEngine } from '../engine/index.js';
import type { HttpFront } from '../mcp/http/http-server.js';
import type { StdioFront } from '../mcp/stdio.js';

/** A supervisor's patience is often 10 s: after half of it, maps are given up. */
const HURRY_AFTER_MS = 5000;
/** A child that was killed is gone when the kernel has detached its probes; it needs no server for that. */
const LEAVE_AFTER_HURRY_MS = 3000;
/** A client that was told of an end has to ask for the result yet. */
const LAST_READS_MS = 1000;

/** What asks the server to end: its client went away, or a signal; each signal after that takes it a step on. */
export class EndRequests {
  private readonly first = new Deferred<string>();
  private readonly steps: Deferred[] = [];
  private asked = false;
  private signals = 0;

  ask(why: string, isSignal: boolean): void {
    if (!this.asked) {
      this.asked = true;
      this.first.resolve(why);
    } else if (isSignal) {
      this.step(this.signals++).resolve();
    }
  }

  /** Why it is to end. */
  get why(): Promise<string> {
    return this.first.promise;
  }

  /** The signal number `at` after the first request, from 0. */
  again(at: number): Promise<void> {
    return this.step(at).promise;
  }

  private step(at: number): Deferred {
    this.steps[at] ??= new Deferred();
    return this.steps[at];
  }
}

interface Ending {
  engine: TraceEngine;
  /** Absent: one client, over stdio. */
  front: HttpFront | undefined;
  /** The one over stdio, alone or beside the others. */
  stdio: StdioFront | undefined;
  requests: EndRequests;
  log: Logger;
}

/**
 * The end of a server.
 *
 *   draining  (where many are served) no more programs, no new sessions; what waits is stopped, what runs goes on, and
 *             everybody is told. Left when nothing runs, after `--drain-s`, or at another signal.
 *   stopping  what runs is told to end, and prints its maps. Left when it has, after 5 s, or at another signal.
 *   killing   children are killed. Left when they are gone, or when only the kernel has still to detach their probes.
 *   reading   (where it was draining, and something ran or waited) a moment in which clients read how it ended.
 *   ended     answers that are under way are sent, sessions end.
 */
export async function endInOrder({ engine, front, stdio, requests, log }: Ending): Promise<void> {
  const why = await requests.why;
  const drainMs = front ? engine.config.drainS * 1000 : 0;
  const { running, queued } = engine.state;
  log.info({ why, running, queued, ...(drainMs > 0 && { drainS: drainMs / 1000 }) }, 'shutting down');
  let step = 0;
  if (drainMs > 0) {
    const cut = new AbortController();
    void requests.again(step++).then(() => cut.abort());
    const drained = engine.drain({ boundMs: drainMs, signal: cut.signal });
    front?.drain(drainMs / 1000);
    stdio?.announce(drainMs / 1000);
    await drained;
  }
  const closed = engine.close();
  await Promise.race([closed, requests.again(step), sleep(HURRY_AFTER_MS)]);
  const killed = engine.close({ hurry: true });
  const left = await Promise.race([killed.then(() => false), sleep(LEAVE_AFTER_HURRY_MS, true)]);
  if (left) log.warn('children were killed and the kernel is still detaching their probes');
  if (drainMs > 0 && running + queued > 0) await sleep(LAST_READS_MS);
  await front?.close();
  log.info('ended');
}
