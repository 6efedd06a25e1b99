import { setTimeout as sleep } from 'node:timers/promises';
import type { BpftraceHandle } from './handle.js';
import type { Counters } from './records.js';

/**
 * Finds the moment when everything is attached.
 *
 * bpftrace does not say it: 0.17 and 0.23 print `attached_probes` before they attach, and an error may
 * follow it seconds later. What is certain on every version: a record of output is printed only from the
 * polling loop, which begins after the last probe is attached; and that loop sleeps in epoll_wait, which
 * /proc shows. So the program needs no probe of ours in it, and its own text stays untouched.
 */
const LOOK_EVERY_MS = 1;
/** A child that takes longer is attaching many probes: looking less often costs nothing then. */
const SLOW_AFTER_MS = 500;
const LOOK_EVERY_SLOW_MS = 10;
/** Where /proc does not show the system call (another user's process), bpftrace's own word has to do after this long. */
const TRUST_AFTER_MS = 1000;

/** True when attached; false when `ended` aborted first. */
export async function untilAttached(
  handle: BpftraceHandle,
  counters: Counters,
  ended: AbortSignal,
): Promise<boolean> {
  const begun = performance.now();
  let announcedAt: number | undefined;
  handle.watch(LOOK_EVERY_MS);
  while (!ended.aborted) {
    if (counters.sawOutput) return true;
    const waits = handle.waitsForEvents();
    if (waits === true) return true;
    const now = performance.now();
    if (counters.attachedProbes >= 0) announcedAt ??= now;
    if (waits === undefined && announcedAt !== undefined && now - announcedAt > TRUST_AFTER_MS) return true;
    const pauseMs = now - begun > SLOW_AFTER_MS ? LOOK_EVERY_SLOW_MS : LOOK_EVERY_MS;
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => {});
  }
  return false;
}
