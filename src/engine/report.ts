import { diagnose, worthShowing } from '../bpftrace/diagnostics/index.js';
import type { FailureReason } from '../contract/errors.js';
import type { RingViews } from '../contract/ring.js';
import { jsonBytes } from '../results/bytes.js';
import { type Excerpt, matching, overview, page } from '../results/excerpt.js';
import { readMaps } from '../results/read-maps.js';
import type { EndedBy, Losses, Result, Status, Summary } from '../results/result.js';
import { linesDropped, linesTotal } from '../results/ring-reader.js';
import type { Execution } from './execution.js';
import { checkWindow, type Window } from './window.js';

/** Of the program, in a list. */
const PROGRAM_CHARACTERS = 200;
/** What the text form has and JSON has not: words around the numbers. */
const WORDING_BYTES = 400;

/** @throws Refusal `invalid_argument`, `offset_out_of_range` */
export function resultOf(execution: Execution, queuePosition: number, window: Window = {}): Result {
  const { ring, board } = execution;
  const { offset, limit, pattern, maxBytes } = checkWindow(window, linesTotal(ring));
  const diagnostics =
    execution.verdict?.diagnostics ??
    worthShowing(diagnose(board.stderr, { program: execution.options.program }), false);
  const maps = readMaps(board.maps);
  const state = stateOf(execution, queuePosition);
  const room = {
    lines: limit,
    bytes: Math.max(
      0,
      maxBytes - WORDING_BYTES - jsonBytes(state) - jsonBytes(diagnostics) - jsonBytes(maps),
    ),
  };
  const excerpt = pattern
    ? matching(ring, offset, pattern, room)
    : offset === undefined
      ? overview(ring, room)
      : page(ring, offset, room);
  return { ...state, diagnostics, ...linesOf(excerpt, ring), maps, ...lossesOf(execution, excerpt, maps) };
}

/** How it stands, in words and numbers of a bounded size. */
function stateOf(execution: Execution, queuePosition: number) {
  const { verdict } = execution;
  return {
    execution_id: execution.id,
    status: execution.status,
    ...(verdict && { ended_by: verdict.endedBy }),
    ...(verdict?.reason && { reason: verdict.reason }),
    ...(verdict?.message && { error_message: verdict.message }),
    ...(execution.ending && { ending: true as const }),
    ...(queuePosition > 0 && { queue_position: queuePosition }),
    ...(execution.attachedProbes >= 0 && { attached_probes: execution.attachedProbes }),
    timeout: execution.options.deadlineMs / 1000,
    duration: Math.round(execution.durationMs) / 1000,
    ...(execution.exitCode !== undefined && { exit_code: execution.exitCode }),
  };
}

function linesOf(excerpt: Excerpt, ring: RingViews) {
  const { output, tail, search } = excerpt;
  return {
    output,
    offset: excerpt.offset,
    next_offset: excerpt.nextOffset,
    has_more: excerpt.hasMore,
    lines_total: linesTotal(ring),
    lines_returned: output.length,
    lines_dropped: linesDropped(ring),
    ...(tail && { tail }),
    ...(excerpt.shortened > 0 && { lines_shortened: excerpt.shortened }),
    ...(search && { search }),
  };
}

/** What is missing for good; what only this reply left out is no loss. */
function lossesOf(execution: Execution, excerpt: Excerpt, maps: Result['maps']) {
  const { ring, lostEvents } = execution;
  const counts = {
    lost_events: lostEvents,
    lines_dropped: linesDropped(ring),
    lines_truncated: excerpt.truncated,
    bytes_dropped: ring.droppedBytes,
    map_entries_dropped: maps.reduce((sum, map) => sum + (map.omitted?.entries ?? 0), 0),
  };
  const losses: Losses = Object.fromEntries(Object.entries(counts).filter(([, lost]) => lost > 0));
  return { lost_events: lostEvents, ...(Object.keys(losses).length > 0 && { losses }) };
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
