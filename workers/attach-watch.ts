import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BpftraceHandle } from './handle.js';
import type { Counters } from './records.js';

/**
 * Finds the moment when everything is attached.
 *
 * bpftrace does not say it: 0.17 and 0.23 print `attached_probes` before they attach, and an error may
 * follow it seconds later. What is certain on every version: a record of output is printed only from the
 * polling loop, which begins after the last probe is attached; and that loop sleeps in epoll_wait, which
 * /proc shows. So the program needs no probe of ours in it, and its own text stays untouched.
 *
 *   compiling  from the start until `attached_probes`. Looks are rare: the processor is wanted for compiling.
 *   attaching  from there on. A small program attaches within milliseconds, and its client waits: looks are as
 *              dense as can be, and become rarer the longer it takes, and where processors are short: a crowd of
 *              starts is as fast as its compilers are let run.
 */
const LOOK_EVERY_MS = { compiling: 10, attaching: 1, crowded: 5, slow: 10 };
/** So long after `attached_probes`, looks are denser than a timer of Node's can make them. */
const DENSE_FOR_MS = 50;
const DENSE_PAUSE_MS = 0.2;
/** Whoever wakes up so late from a pause has waited for a processor. */
const CROWDED_PAUSE_MS = 2;
/** A child that takes longer is attaching many probes: looking less often costs nothing then. */
const SLOW_AFTER_MS = 500;
/** Where /proc does not show the system call (another user's process), bpftrace's own word has to do after this long. */
const TRUST_AFTER_MS = 1000;

/** Wakes the one who waits for it. */
export class Bell {
  private wake: () => void = () => {};

  ring = (): void => this.wake();

  /** Until it rings, and for so long at the most. */
  heard(boundMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, boundMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

interface Starting {
  handle: BpftraceHandle;
  counters: Counters;
  /** Rung at everything that it prints. */
  bell: Bell;
  /** Aborted when there is nothing to wait for any longer. */
  ended: AbortSignal;
}

/** True when attached; false when `ended` aborted first. */
export async function untilAttached({ handle, counters, bell, ended }: Starting): Promise<boolean> {
  ended.addEventListener('abort', bell.ring);
  handle.watch(LOOK_EVERY_MS.compiling);
  let announcedAt: number | undefined;
  let isCrowded = false;
  while (!ended.aborted) {
    if (counters.sawOutput) return true;
    if (counters.attachedProbes >= 0 && announcedAt === undefined) {
      announcedAt = performance.now();
      handle.watch(LOOK_EVERY_MS.attaching);
    }
    const waits = handle.waitsForEvents();
    if (waits === true) return true;
    const passedMs = announcedAt === undefined ? undefined : performance.now() - announcedAt;
    if (passedMs === undefined) await bell.heard(LOOK_EVERY_MS.compiling);
    else if (waits === undefined && passedMs > TRUST_AFTER_MS) return true;
    else if (isCrowded && passedMs < SLOW_AFTER_MS) await bell.heard(LOOK_EVERY_MS.crowded);
    else if (passedMs < DENSE_FOR_MS) isCrowded = (await shortPause()) > CROWDED_PAUSE_MS;
    else await bell.heard(passedMs < SLOW_AFTER_MS ? LOOK_EVERY_MS.attaching : LOOK_EVERY_MS.slow);
  }
  return false;
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** The thread sleeps: whatever comes meanwhile is read in the turn that follows. @returns how long it slept, in ms */
async function shortPause(): Promise<number> {
  const begun = performance.now();
  Atomics.wait(NEVER, 0, 0, DENSE_PAUSE_MS);
  const sleptMs = performance.now() - begun;
  await nextTurn();
  return sleptMs;
}
