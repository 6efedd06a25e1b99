import type { ProgressNotification } from '@modelcontextprotocol/sdk/types.js';
import type { ClientView, Glance } from '../engine/index.js';

const EVERY_MS = 1000;

/** How the client of a request is told of progress; undefined when it did not ask to be. */
export type Progress = ((params: Omit<ProgressNotification['params'], 'progressToken'>) => void) | undefined;

/**
 * Waits, and tells meanwhile once a second how the execution stands. `progress` is the seconds waited, so it
 * only ever rises; `total` is when the deadline or the wait itself will be over, as far as that is known.
 * @param boundMs how long is waited at most
 */
export async function telling(
  progress: Progress,
  client: ClientView,
  id: string,
  boundMs: number,
  wait: Promise<void>,
): Promise<void> {
  if (!progress) return wait;
  const begun = performance.now();
  const timer = setInterval(() => {
    const waitedMs = performance.now() - begun;
    let glance: Glance;
    try {
      glance = client.glance(id);
    } catch {
      return; // It ended, and its result has been forgotten meanwhile: the wait is about to end.
    }
    const endMs = Math.min(boundMs, waitedMs + (glance.leftMs ?? Number.POSITIVE_INFINITY));
    progress({
      progress: seconds(waitedMs),
      ...(Number.isFinite(endMs) && { total: seconds(Math.max(waitedMs, endMs)) }),
      message: glanceText(glance),
    });
  }, EVERY_MS);
  try {
    await wait;
  } finally {
    clearInterval(timer);
  }
}

/** `running for 3 s of 10 s; 120 lines; LOST 5 events`. */
export function glanceText(glance: Glance): string {
  const parts = [stateText(glance)];
  if (glance.lines > 0) parts.push(`${glance.lines} lines`);
  if (glance.linesDropped > 0) parts.push(`LOST ${glance.linesDropped} oldest lines`);
  if (glance.lostEvents > 0) parts.push(`LOST ${glance.lostEvents} events`);
  return parts.join('; ');
}

function stateText({ status, place, ending, tracedMs, deadlineMs }: Glance): string {
  if (place) return `queued at position ${place.position}, starts in about ${place.startsInS} s`;
  if (ending) return `ending after ${seconds(tracedMs)} s traced`;
  if (status === 'running') return `running for ${seconds(tracedMs)} s of ${deadlineMs / 1000} s`;
  return `${status} after ${seconds(tracedMs)} s`;
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
