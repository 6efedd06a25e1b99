import type { Status } from '../results/result.js';
import { linesDropped, linesTotal } from '../results/ring-reader.js';
import type { Place } from './estimates.js';
import type { Execution } from './execution.js';
import { versionOf } from './waiting.js';

/** How an execution stands, at the cost of a few loads from shared memory. Times in ms. */
export interface Glance {
  status: Status;
  /** For good. */
  ended: boolean;
  /** Its end has been asked for, be it there already or not. */
  stopAsked: boolean;
  /** Told to end; detaching and printing its maps. */
  ending: boolean;
  /** In the queue; undefined when it does not wait. */
  place: Place | undefined;
  tracedMs: number;
  deadlineMs: number;
  /** Until its deadline; undefined before it is attached. */
  leftMs: number | undefined;
  lines: number;
  linesDropped: number;
  lostEvents: number;
  submittedAt: Date;
  endedAt: Date | undefined;
  /** Another one than before says that there is something new to read. */
  version: number;
}

export function glanceAt(execution: Execution, place: Place | undefined): Glance {
  const { status, verdict, ring, durationMs } = execution;
  const { deadlineMs } = execution;
  return {
    status,
    ended: verdict !== undefined,
    stopAsked: execution.stopAsked,
    ending: execution.ending,
    place,
    tracedMs: durationMs,
    deadlineMs,
    leftMs: status === 'running' ? Math.max(0, deadlineMs - durationMs) : undefined,
    lines: linesTotal(ring),
    linesDropped: linesDropped(ring),
    lostEvents: execution.lostEvents,
    submittedAt: execution.submittedAt,
    endedAt: execution.endedAt,
    version: versionOf(execution),
  };
}
