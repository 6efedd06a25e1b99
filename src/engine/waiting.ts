import { monotonicMs, WORD } from '../contract/cell.js';
import { linesTotal } from '../results/ring-reader.js';
import type { Execution } from './execution.js';

/**
 * Waiting without polling: on the shared words that a worker notifies, and on the end of the execution.
 * Every wait has a bound and may be cut short by a signal; it returns then as if nothing had come.
 */
export interface Bound {
  /** 0 or less returns at once; Infinity is taken for the longest that a timer counts, 24 days. */
  boundMs: number;
  signal?: AbortSignal | undefined;
}

/** Until it is attached, has ended, or waits in the queue. */
export async function untilSettled(execution: Execution, bound: Bound): Promise<void> {
  if (execution.status === 'queued') return;
  const endAt = monotonicMs() + bound.boundMs;
  await untilResolved(execution.begun.promise, bound);
  const left = { ...bound, boundMs: endAt - monotonicMs() };
  await untilWord(execution, WORD.PHASE, left, () => execution.status !== 'starting');
}

/** Until lines beyond `offset` or newer maps than now can be read, or it has ended. */
export async function untilNews(execution: Execution, offset: number, bound: Bound): Promise<void> {
  const endAt = monotonicMs() + bound.boundMs;
  await untilResolved(execution.begun.promise, bound);
  const maps = execution.cell?.load(WORD.MAPS);
  const left = { ...bound, boundMs: endAt - monotonicMs() };
  await untilWord(execution, WORD.NEWS, left, () => {
    return linesTotal(execution.ring) > offset || execution.cell?.load(WORD.MAPS) !== maps;
  });
}

/** Another one than before: something can be read now that could not be read then. */
export function versionOf(execution: Execution): number {
  return execution.cell?.load(WORD.NEWS) ?? (execution.verdict ? ENDED : NOT_BEGUN);
}

const ENDED = -1;
const NOT_BEGUN = -2;

/** Until there is something new since `version`, or it has ended. */
export async function untilChanged(execution: Execution, version: number, bound: Bound): Promise<void> {
  const endAt = monotonicMs() + bound.boundMs;
  await untilResolved(execution.begun.promise, bound);
  const left = { ...bound, boundMs: endAt - monotonicMs() };
  await untilWord(execution, WORD.NEWS, left, () => versionOf(execution) !== version);
}

export async function untilEnded(execution: Execution, bound: Bound): Promise<void> {
  await untilResolved(execution.ended.promise, bound);
}

/** Until the worker has answered the snapshot that was asked for as number `asked`, or it has ended. */
export async function untilAnswered(execution: Execution, asked: number, bound: Bound): Promise<boolean> {
  const answered = (): boolean => {
    // The counters wrap: their difference does not.
    return execution.cell !== undefined && ((execution.cell.load(WORD.SNAPSHOTS_ANSWERED) - asked) | 0) >= 0;
  };
  await untilWord(execution, WORD.SNAPSHOTS_ANSWERED, bound, answered);
  return answered();
}

/** Until `done` says so, asked again whenever the worker has notified `word`; or until the execution has ended. */
async function untilWord(
  execution: Execution,
  word: number,
  bound: Bound,
  done: () => boolean,
): Promise<void> {
  const endAt = monotonicMs() + bound.boundMs;
  while (execution.cell) {
    // Loaded before the question is asked: a change between the two ends the wait at once.
    const seen = execution.cell.load(word);
    const leftMs = endAt - monotonicMs();
    if (done() || !(leftMs > 0) || bound.signal?.aborted) return;
    const wait = Atomics.waitAsync(execution.cell.words, word, seen, leftMs);
    if (wait.async) await untilResolved(wait.value, { ...bound, boundMs: leftMs });
  }
}

/** Of setTimeout: beyond it, it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whatever it comes to. */
export async function untilResolved(promise: Promise<unknown>, { boundMs, signal }: Bound): Promise<void> {
  if (!(boundMs > 0) || signal?.aborted) return;
  let cut: () => void = () => {};
  const cutShort = new Promise<void>(resolve => {
    cut = resolve;
  });
  const timer = setTimeout(cut, Math.min(boundMs, LONGEST_TIMER_MS));
  signal?.addEventListener('abort', cut, { once: true });
  await Promise.race([promise, cutShort]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', cut);
}
