import { parseDiagnostics, worthShowing } from '../bpftrace/diagnostics.js';
import { type FailureReason, Refusal } from '../contract/errors.js';
import type { EndedBy, Result, Status, Summary } from '../results/result.js';
import { linesDropped, linesTotal, readLines } from '../results/ring-reader.js';
import { typedMap } from '../results/typed-map.js';
import type { Execution } from './execution.js';

export const LIMIT_MAX = 1000;
export const LIMIT_DEFAULT = 100;
/** Of the program, in a list. */
const PROGRAM_CHARACTERS = 200;

export interface Window {
  /** Sequence number of the first line wanted; the oldest that is still kept, if absent. */
  offset?: number | undefined;
  /** 0 to {@link LIMIT_MAX} lines; {@link LIMIT_DEFAULT} if absent. */
  limit?: number | undefined;
}

/** @throws Refusal `offset_out_of_range` */
export function resultOf(execution: Execution, queuePosition: number, window: Window = {}): Result {
  const { ring, verdict, board } = execution;
  const total = linesTotal(ring);
  const offset = window.offset ?? linesDropped(ring);
  const limit = window.limit ?? LIMIT_DEFAULT;
  if (!(Number.isInteger(offset) && offset >= 0 && Number.isInteger(limit) && limit >= 0)) {
    throw new Refusal(
      'invalid_argument',
      `offset ${offset} and limit ${limit} must be whole numbers, 0 or more`,
      'pass next_offset of the last answer as offset',
    );
  }
  if (offset > total) {
    throw new Refusal(
      'offset_out_of_range',
      `offset ${offset} is past the end: ${total} lines have been printed so far`,
      `ask with an offset from 0 to ${total}; ${total} waits for the next line`,
      { lines_total: total },
    );
  }
  const slice = readLines(ring, offset, limit);
  const nextOffset = slice.offset + slice.lines.length;
  const linesTotalNow = linesTotal(ring);
  return {
    execution_id: execution.id,
    status: execution.status,
    ...(verdict && { ended_by: verdict.endedBy }),
    ...(verdict?.reason && { reason: verdict.reason }),
    ...(verdict?.message && { error_message: verdict.message }),
    ...(execution.ending && { ending: true as const }),
    diagnostics: verdict?.diagnostics ?? worthShowing(parseDiagnostics(board.stderr), false),
    ...(queuePosition > 0 && { queue_position: queuePosition }),
    ...(execution.attachedProbes >= 0 && { attached_probes: execution.attachedProbes }),
    output: slice.lines,
    offset: slice.offset,
    next_offset: nextOffset,
    has_more: nextOffset < linesTotalNow,
    lines_total: linesTotalNow,
    lines_returned: slice.lines.length,
    lines_dropped: linesDropped(ring),
    ...(slice.truncated > 0 && { lines_truncated: slice.truncated }),
    ...(ring.droppedBytes > 0 && { bytes_dropped: ring.droppedBytes }),
    maps: board.maps.map(typedMap),
    lost_events: execution.lostEvents,
    timeout: execution.options.deadlineMs / 1000,
    duration: Math.round(execution.durationMs) / 1000,
    ...(execution.exitCode !== undefined && { exit_code: execution.exitCode }),
  };
}

/** What an owner logs of an execution that has ended; times in ms. */
export interface EndReport {
  execution: string;
  /** Hash of its text. */
  program: string;
  client: string;
  status: Status;
  endedBy: EndedBy | undefined;
  reason: FailureReason | undefined;
  message: string | undefined;
  queuedMs: number;
  tracedMs: number;
  /** -1 when bpftrace did not say. */
  probes: number;
  lines: number;
  linesDropped: number;
  lostEvents: number;
  exitCode: number | null | undefined;
  /** Processes of it were still there when it was given up: the kernel is tearing them down. */
  leftBehind: boolean;
}

export function endReportOf(execution: Execution): EndReport {
  const { verdict, ring } = execution;
  return {
    execution: execution.id,
    program: execution.programHash,
    client: execution.options.client,
    status: execution.status,
    endedBy: verdict?.endedBy,
    reason: verdict?.reason,
    message: verdict?.message,
    queuedMs: Math.round(execution.waitedMs),
    tracedMs: Math.round(execution.durationMs),
    probes: execution.attachedProbes,
    lines: linesTotal(ring),
    linesDropped: linesDropped(ring),
    lostEvents: execution.lostEvents,
    exitCode: execution.exitCode,
    leftBehind: execution.leftBehind,
  };
}

export function summaryOf(execution: Execution, queuePosition: number): Summary {
  const { verdict } = execution;
  const { program } = execution.options;
  return {
    execution_id: execution.id,
    status: execution.status,
    ...(verdict && { ended_by: verdict.endedBy }),
    ...(verdict?.reason && { reason: verdict.reason }),
    ...(queuePosition > 0 && { queue_position: queuePosition }),
    lines_total: linesTotal(execution.ring),
    timeout: execution.options.deadlineMs / 1000,
    duration: Math.round(execution.durationMs) / 1000,
    submitted_at: execution.submittedAt.toISOString(),
    program: program.length > PROGRAM_CHARACTERS ? `${program.slice(0, PROGRAM_CHARACTERS)}…` : program,
  };
}
