import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ChildOutput } from './child-output.js';
import type { BpftraceHandle } from './handle.js';

/**
 * Sends a signal to a child that is not blocked in writing to us.
 *
 * bpftrace (0.17 to 0.27) installs its handlers without SA_RESTART and never looks at the state of its output
 * stream: a signal that finds it blocked in write(2), our end being full, makes that write fail with EINTR, the
 * stream goes bad, and everything it prints from then on, its maps at the end included, goes nowhere. It exits
 * with 0 all the same. Our end is full whenever this thread got no CPU for a millisecond of a flood, and a
 * deadline that has passed meanwhile fires before anything is read: the two come together.
 *
 * The kernel looks for room before it looks for signals (pipe_write, sock_alloc_send_pskb), so a writer that was
 * blocked is out of danger as soon as its output has been read, even if it has not run since. What remains is
 * the time in which it could fill the room again: where a pair of sockets has to do, 50 KB of short records, half a
 * millisecond of the fastest flood. So the order is: a turn of the event loop, which reads all there is; a look; the signal at once, unless
 * the turn read so much, or took so long, that the room may be full again.
 */
interface GuardedSignal {
  writer: Pick<BpftraceHandle, 'blockedInWrite'>;
  output: Pick<ChildOutput, 'eager'>;
  /** Bytes read from the child so far. */
  outputBytes: () => number;
  /** Aborted when there is nothing to signal any longer: nothing is sent then. */
  giveUp: AbortSignal;
  send: () => void;
}

/** A turn that read no more than this found the end of what was there. */
const QUIET_TURN_BYTES = 16_384;
const QUIET_TURN_MS = 0.3;
/** On a slow machine turns take longer, and so does filling the room: for every so long in vain, as much again is allowed. */
const PATIENCE_MS = 100;
/** Not a quiet turn in this long: the signal goes out all the same, or nothing would ever end. */
const BOUND_MS = 3000;
const STILL_BLOCKED_PAUSE_MS = 1;

/** False when it was not sent, or when the bound was reached and it may have found the child writing. */
export async function signalOutsideWrite(signal: GuardedSignal): Promise<boolean> {
  const notHurried = signal.output.eager();
  try {
    return await sendWhenQuiet(signal);
  } finally {
    notHurried();
  }
}

async function sendWhenQuiet(signal: GuardedSignal): Promise<boolean> {
  const begun = performance.now();
  while (!signal.giveUp.aborted) {
    const bytesBefore = signal.outputBytes();
    const turnBegun = performance.now();
    await nextTurn();
    if (signal.giveUp.aborted) break;
    const read = signal.outputBytes() - bytesBefore;
    const blocked = signal.writer.blockedInWrite() === true;
    const now = performance.now();
    const longestTurnMs = QUIET_TURN_MS * (1 + (now - begun) / PATIENCE_MS);
    const quiet = read === 0 || (read <= QUIET_TURN_BYTES && now - turnBegun < longestTurnMs);
    if (!blocked && quiet) {
      signal.send();
      return true;
    }
    if (now - begun > BOUND_MS) {
      signal.send();
      return false;
    }
    if (blocked) await sleep(STILL_BLOCKED_PAUSE_MS);
  }
  return false;
}
