import { monotonicMs } from '../src/contract/cell.js';
import type { TraceTask } from '../src/contract/trace.js';

const LOOK_EVERY_MS = 500;

/**
 * Calls back once when a child has printed more than it may, in every look, for as long as it may. A look is one
 * subtraction: a flood that is legal costs nothing.
 * @param outputBytes read from the child so far
 */
export function watchFlood(
  { bytesPerS, forMs }: NonNullable<TraceTask['flood']>,
  outputBytes: () => number,
  over: AbortSignal,
  onFlood: () => void,
): void {
  let last = { at: monotonicMs(), bytes: outputBytes() };
  let begun = last.at;
  const timer = setInterval(() => {
    const now = { at: monotonicMs(), bytes: outputBytes() };
    const isFlood = now.bytes - last.bytes > (bytesPerS * (now.at - last.at)) / 1000;
    last = now;
    if (!isFlood) begun = now.at;
    if (now.at - begun < forMs) return;
    clearInterval(timer);
    onFlood();
  }, LOOK_EVERY_MS);
  over.addEventListener('abort', () => clearInterval(timer));
}
