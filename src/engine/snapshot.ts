import { monotonicMs, WORD } from '../contract/cell.js';
import { SnapshotAnswer } from '../contract/snapshot.js';
import type { Execution } from './execution.js';
import { type Bound, untilAnswered, untilEnded, untilSettled } from './waiting.js';

/**
 * Has the maps of a running execution read as they are now. Undefined when they are there, or when it has ended
 * and its own are; otherwise why not.
 */
export async function takeSnapshot(execution: Execution, bound: Bound): Promise<string | undefined> {
  const endAt = monotonicMs() + bound.boundMs;
  await untilSettled(execution, bound);
  const { cell, status } = execution;
  if (status === 'queued' || status === 'starting') return 'it is not attached yet';
  if (!cell) return undefined;
  if (execution.noSnapshots !== undefined) return execution.noSnapshots;
  const asked = (Atomics.add(cell.words, WORD.SNAPSHOTS_ASKED, 1) + 1) | 0;
  Atomics.notify(cell.words, WORD.SNAPSHOTS_ASKED);
  const left = (): Bound => ({ ...bound, boundMs: endAt - monotonicMs() });
  const isAnswered = await untilAnswered(execution, asked, left());
  const answer = cell.load(WORD.SNAPSHOT_ANSWER);
  if (isAnswered && answer !== SnapshotAnswer.ending) return REASONS[answer];
  if (isAnswered || execution.job.isEnding) await untilEnded(execution, left());
  if (execution.verdict) return undefined;
  if (execution.job.options.replayed) return 'this is a replay, and its next snapshot was taken later';
  return execution.job.isEnding ? 'it is ending, and prints its maps' : 'bpftrace is slow to print its maps';
}

const REASONS: Readonly<Record<number, string>> = {
  [SnapshotAnswer.partial]: 'events were lost, and with them perhaps some of the maps',
  [SnapshotAnswer.tooBusy]:
    'bpftrace is too busy with the lines that the program prints; print less, or read the maps when it ends',
  [SnapshotAnswer.notRecorded]:
    'this is a replay, and no further snapshot was asked for when it was recorded',
  [SnapshotAnswer.noSignal]: 'the bpftrace that runs takes no signal for it',
};
