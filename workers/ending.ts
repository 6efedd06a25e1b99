import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildOutput } from './child-output.js';
import type { BpftraceHandle } from './handle.js';
import { signalOutsideWrite } from './write-guard.js';

/**
 * The ending ladder: SIGINT, wait, SIGKILL, each to the whole process group, until nothing of it is left.
 *
 * SIGINT makes bpftrace detach its probes, run END and print its maps: the answer of most programs. How long
 * that takes is not in our hands: the kernel waits out an RCU grace period for every detached probe (measured:
 * 72 ms each, 26 s for 360 tracepoints, on Linux 6.18), and SIGKILL does not shorten it, since the dying
 * process closes the same files; it only loses the maps. So the grace period counts from the last sign of
 * progress (a file closed, output, CPU time, a thread that runs, wants to run or is held by the kernel), up to a
 * bound for all of it.
 *
 * No signal but SIGKILL may find the child writing: see write-guard.ts.
 *
 * One SIGINT may be lost: 0.17 leaves its polling loop only when the signal interrupts epoll_wait, and a signal
 * that comes between two waits is forgotten. A child that is still found in that loop with all its probes
 * attached (no file closed) is sent SIGTERM, which ends the loop as SIGINT does but, unlike a second SIGINT,
 * does not kill a bpftrace that prints its maps. With probes detached, the same loop drains what is buffered.
 */
const LOOK_EVERY_MS = 50;
const NUDGE_EVERY_MS = 100;

interface Ladder {
  handle: BpftraceHandle;
  graceMs: number;
  graceMaxMs: number;
  /** Resolves when the child itself has exited and been reaped. */
  exited: Promise<void>;
  /** Aborted when the owner is in a hurry: go to SIGKILL now. */
  hurry: AbortSignal;
  output: Pick<ChildOutput, 'eager'>;
  /** Bytes read from the child so far. */
  outputBytes: () => number;
}

/** Climbs the ladder; true if SIGKILL was needed. */
export async function endChild(ladder: Ladder): Promise<boolean> {
  const { handle, exited, hurry } = ladder;
  const goneOrHurried = new AbortController();
  let gone = false;
  hurry.addEventListener('abort', () => goneOrHurried.abort());
  void exited.then(() => {
    gone = true;
    goneOrHurried.abort();
  });
  if (!hurry.aborted) {
    // Not only those it holds now: a SIGINT that comes while it attaches is lost likewise, and it attaches the rest.
    handle.watch(LOOK_EVERY_MS);
    let filesMost = handle.openFiles() ?? 0;
    await signalOutsideWrite({
      writer: handle,
      output: ladder.output,
      outputBytes: ladder.outputBytes,
      giveUp: goneOrHurried.signal,
      send: () => handle.signalGroup('SIGINT'),
    });
    const begun = performance.now();
    let lastProgress = begun;
    let lastLook = signsOfLife(ladder);
    let lastSignal = begun;
    while (!gone && !hurry.aborted) {
      await Promise.race([exited, sleep(LOOK_EVERY_MS, undefined, { signal: hurry }).catch(() => {})]);
      const now = performance.now();
      const look = signsOfLife(ladder);
      if (look !== lastLook || handle.isHeldUp() === true) lastProgress = now;
      lastLook = look;
      const files = handle.openFiles() ?? 0;
      filesMost = Math.max(filesMost, files);
      const allAttached = files > 0 && files === filesMost;
      if (allAttached && now - lastSignal > NUDGE_EVERY_MS && handle.waitsForEvents() === true) {
        // Not to the group: a shell in front waits for its child after SIGINT, and is killed by SIGTERM.
        handle.signalLeaf('SIGTERM');
        lastSignal = now;
      }
      if (now - lastProgress > ladder.graceMs || now - begun > ladder.graceMaxMs) break;
    }
  }
  if (gone) return false;
  handle.signalGroup('SIGKILL');
  await exited;
  return true;
}

function signsOfLife({ handle, outputBytes }: Ladder): string {
  return `${handle.openFiles()}/${handle.cpuTicks()}/${outputBytes()}`;
}
