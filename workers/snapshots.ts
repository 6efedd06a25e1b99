import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Cell, monotonicMs, WORD } from '../src/contract/cell.js';
import { SnapshotAnswer, type SnapshotMethod } from '../src/contract/snapshot.js';
import type { ChildOutput } from './child-output.js';
import type { BpftraceHandle } from './handle.js';
import type { PrintedMap, SnapshotReader } from './snapshot-reader.js';
import { signalOutsideWrite } from './write-guard.js';

/**
 * Takes snapshots of a running program's maps when the owner asks: sends SIGUSR1, which makes bpftrace print them,
 * and waits until {@link SnapshotReader} has them all.
 *
 *   idle        left when SNAPSHOTS_ASKED is above SNAPSHOTS_ANSWERED.
 *   signalled   the signal is out. Left with the maps, or, when nothing came for a while, for another try: from
 *               0.22 on they travel through the buffer that a flood of lines fills, and are lost as lines are.
 *   answered    SNAPSHOTS_ANSWERED is what was asked before the signal was sent; then `idle`, after a pause.
 *
 * Whoever asks while a snapshot is under way gets the next one: each is younger than the question it answers.
 */

const LOOK_EVERY_MS = 5;
/** Nothing came in this long: bpftrace is busy, and will be as long as the program prints as much. */
const BUSY_MS = 3000;
/** Printing a map of a million stacks may take longer; nobody should wait for that. */
const BOUND_MS = 10_000;
/** A snapshot at most this often, and, up to a bound, at most a fifth of the time. */
const PAUSE_MS = 100;
const PAUSE_SHARE = 4;
const PAUSE_MAX_MS = 2000;

/** What a recording keeps of them. */
export interface SnapshotWitness {
  snapshotSignal(): void;
  snapshotRead(shown: boolean, atMs: number): void;
  snapshotAnswer(answer: SnapshotAnswer): void;
}

interface SnapshotParts {
  handle: BpftraceHandle;
  cell: Cell;
  method: SnapshotMethod;
  reader: SnapshotReader;
  output: Pick<ChildOutput, 'eager'>;
  outputBytes: () => number;
  lostEvents: () => number;
  /** Aborted when it ends, or is told to. */
  over: AbortSignal;
  /** Shows them to the main thread. */
  publish: (maps: PrintedMap[], atMs: number) => void;
  witness: SnapshotWitness | undefined;
}

export async function serveSnapshots(parts: SnapshotParts): Promise<void> {
  const { cell, over } = parts;
  over.addEventListener('abort', () => Atomics.notify(cell.words, WORD.SNAPSHOTS_ASKED));
  while (!over.aborted) {
    const answered = cell.load(WORD.SNAPSHOTS_ANSWERED);
    const wait = Atomics.waitAsync(cell.words, WORD.SNAPSHOTS_ASKED, answered);
    if (wait.async) {
      await wait.value;
      continue;
    }
    const begun = performance.now();
    const asked = cell.load(WORD.SNAPSHOTS_ASKED);
    const notHurried = parts.output.eager();
    const how = await take(parts);
    parts.witness?.snapshotAnswer(how);
    cell.answerSnapshot(asked, how);
    notHurried();
    if (!over.aborted) parts.handle.watch(0);
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MS, PAUSE_SHARE * (performance.now() - begun)));
    await sleep(pauseMs, undefined, { signal: over }).catch(() => {});
  }
  cell.answerSnapshot(cell.load(WORD.SNAPSHOTS_ASKED), SnapshotAnswer.ending);
}

async function take(parts: SnapshotParts): Promise<SnapshotAnswer> {
  const { handle, cell, reader, over } = parts;
  const begun = performance.now();
  let partial: PrintedMap[] = [];
  reader.forget();
  const isInTime = (): boolean => {
    const ms = performance.now() - begun;
    return !over.aborted && ms < (reader.hasBegun ? BOUND_MS : BUSY_MS);
  };
  while (isInTime()) {
    // Whoever does not catch it is killed by it: a wrapper that stayed, or a bpftrace that has not got so far.
    if (handle.catchesSnapshotSignal() === false) return SnapshotAnswer.noSignal;
    const lostBefore = parts.lostEvents();
    const at = monotonicMs();
    await signalOutsideWrite({
      writer: handle,
      output: parts.output,
      outputBytes: parts.outputBytes,
      giveUp: over,
      send: () => {
        parts.witness?.snapshotSignal();
        reader.expect();
        handle.signalLeaf('SIGUSR1');
      },
    });
    const maps = await untilPrinted(parts, isInTime);
    if (!maps) continue;
    const lost = parts.lostEvents() > lostBefore && maps.length < parts.method.maps;
    const isBest = !lost || maps.length > partial.length;
    const atMs = Math.max(1, at - cell.attachedAtMs);
    parts.witness?.snapshotRead(isBest, atMs);
    if (!isBest) continue;
    parts.publish(maps, atMs);
    if (!lost) return SnapshotAnswer.whole;
    partial = maps;
  }
  if (over.aborted) return SnapshotAnswer.ending;
  return partial.length > 0 ? SnapshotAnswer.partial : SnapshotAnswer.tooBusy;
}

/** The maps that were printed; undefined when none came in time, or it is over. */
async function untilPrinted(
  { handle, reader, over, outputBytes }: SnapshotParts,
  isInTime: () => boolean,
): Promise<PrintedMap[] | undefined> {
  let bytes = outputBytes();
  handle.watch(LOOK_EVERY_MS);
  while (isInTime()) {
    await sleep(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => {});
    await nextTurn(); // In which all there is has been read.
    // One that was stopped stands in its last call, and has not looked at the signal.
    const quiet =
      outputBytes() === bytes && handle.waitsForEvents() === true && handle.isOutOfAction() !== true;
    bytes = outputBytes();
    const maps = reader.take(quiet);
    if (maps || reader.isInVain) return maps;
  }
  return undefined;
}
