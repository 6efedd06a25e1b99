import { setTimeout as sleep } from 'node:timers/promises';
import { leafProcess, waitsForEvents } from './procfs.js';
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
/** A wrapper becomes or starts bpftrace within its first moments; looking for that every time would double the reads. */
const LEAF_EVERY_LOOKS = 8;
/** Where /proc does not show the system call (another user's process), bpftrace's own word has to do after this long. */
const TRUST_AFTER_MS = 1000;

/** True when attached; false when `ended` aborted first. */
export async function untilAttached(pid: number, counters: Counters, ended: AbortSignal): Promise<boolean> {
  const begun = performance.now();
  let announcedAt: number | undefined;
  let leaf = pid;
  for (let look = 0; !ended.aborted; look++) {
    if (counters.sawOutput) return true;
    if (look % LEAF_EVERY_LOOKS === 0) leaf = leafProcess(pid);
    const waits = waitsForEvents(leaf);
    if (waits === true) return true;
    const now = performance.now();
    if (counters.attachedProbes >= 0) announcedAt ??= now;
    if (waits === undefined && announcedAt !== undefined && now - announcedAt > TRUST_AFTER_MS) return true;
    const pauseMs = now - begun > SLOW_AFTER_MS ? LOOK_EVERY_SLOW_MS : LOOK_EVERY_MS;
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => {});
  }
  return false;
}
