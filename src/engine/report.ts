import { type Diagnostic, diagnose, worthShowing } from '../bpftrace/diagnostics/index.js';
import type { BoardMap } from '../contract/board.js';
import type { FailureReason } from '../contract/errors.js';
import type { TypedMap } from '../contract/map.js';
import type { RingViews } from '../contract/ring.js';
import { visible, visibleIn, withoutLive } from '../contract/visible.js';
import { jsonBytes, shortened } from '../results/bytes.js';
import { type Excerpt, matching, overview, page } from '../results/excerpt.js';
import { entriesDropped, readMaps } from '../results/read-maps.js';
import type { EndedBy, Losses, Result, Status, Summary } from '../results/result.js';
import { linesDropped, linesTotal } from '../results/ring-reader.js';
import { shownDiagnostics } from '../results/shown-diagnostics.js';
import { shownMaps } from '../results/shown-map.js';
import type { Place } from './estimates.js';
import type { Execution } from './execution.js';
import type { Run } from './run.js';
import { type CheckedWindow, checkWindow, type Window } from './window.js';

/** Of the program, in a list. */
const PROGRAM_CHARACTERS = 200;
/** What stands around the contents of a reply: words in the text, the names and counts of lines in JSON. */
const FRAME_BYTES = 700;
/** Of a reply, for the reason of a failure; and of what is left of it, for diagnostics. */
const MESSAGE_SHARE = 1 / 8;
const DIAGNOSTICS_SHARE = 1 / 2;

/**
 * All that is known, or what `window` asks for and has room for: what failed first, then maps and lines, which
 * share what is left of the room.
 * @throws Refusal `invalid_argument`, `offset_out_of_range`
 */
export function resultOf(execution: Execution, place: Place | undefined, window: Window = {}): Result {
  const { ring, board, verdict } = execution;
  const checked = checkWindow(window, linesTotal(ring));
  const state = stateOf(execution, place, checked.maxBytes * MESSAGE_SHARE);
  let room = checked.maxBytes - FRAME_BYTES - jsonBytes(state);
  const said = verdict?.diagnostics ?? saidSoFar(execution, board.stderr);
  const diagnostics = shownDiagnostics(visibleIn(said, withoutLive), room * DIAGNOSTICS_SHARE);
  room = Math.max(0, room - jsonBytes(diagnostics.shown));

  const { pattern, mapEntries } = checked;
  const typed = readMaps(board.maps, { entriesMax: mapEntries, exactStacks: window.exactStacks }).map(map =>
    visibleIn(map, visible),
  );
  // A search is not repeated for a better share.
  let maps = shownMaps(typed, pattern ? room / 2 : room);
  let lines = excerptOf(ring, checked, pattern ? room - maps.bytes : room);
  const linesWant = lines.bytes;
  if (maps.bytes + linesWant > room) {
    maps = shownMaps(typed, Math.max(room / 2, room - linesWant));
    lines = excerptOf(ring, checked, room - maps.bytes);
  }
  return {
    ...state,
    diagnostics: diagnostics.shown,
    ...(diagnostics.left > 0 && { diagnostics_not_shown: diagnostics.left }),
    ...linesOf(lines, ring),
    maps: maps.shown,
    ...(maps.left > 0 && { maps_not_shown: maps.left }),
    ...lossesOf(execution, lines, typed, board.maps),
  };
}

/** Who looks at a running execution again and again mostly finds that bpftrace has said nothing more. */
const saidLast = new WeakMap<Run, { stderr: string; said: Diagnostic[] }>();

function saidSoFar(execution: Execution, stderr: string): Diagnostic[] {
  const last = saidLast.get(execution.job);
  if (last?.stderr === stderr) return last.said;
  const said = worthShowing(diagnose(stderr, { program: execution.program }), false);
  saidLast.set(execution.job, { stderr, said });
  return said;
}

function excerptOf(ring: RingViews, { offset, limit, pattern }: CheckedWindow, bytes: number): Excerpt {
  const room = { bytes, lines: limit };
  if (pattern) return matching(ring, offset, pattern, room);
  return offset === undefined ? overview(ring, room) : page(ring, offset, room);
}

/** How it stands, in words and numbers of a bounded size. */
function stateOf(execution: Execution, place: Place | undefined, messageBytes: number) {
  const { verdict } = execution;
  return {
    execution_id: execution.id,
    status: execution.status,
    ...(verdict && { ended_by: verdict.endedBy }),
    ...(verdict?.reason && { reason: verdict.reason }),
    ...(verdict?.message && {
      error_message: shortened(withoutLive(verdict.message), messageBytes, cutMark),
    }),
    ...(execution.ending && { ending: true as const }),
    ...(place && { queue_position: place.position, estimated_start: place.startsInS }),
    ...(execution.attachedProbes >= 0 && { attached_probes: execution.attachedProbes }),
    timeout: execution.deadlineMs / 1000,
    duration: Math.round(execution.durationMs) / 1000,
    ...replayOf(execution),
    ...(execution.isShared && { shared: true as const }),
    ...(execution.joinedAtMs > 0 && { joined_at: Math.round(execution.joinedAtMs) / 1000 }),
    ...(execution.snapshotAtMs > 0 && { snapshot_at: Math.round(execution.snapshotAtMs) / 1000 }),
    ...(execution.exitCode !== undefined && { exit_code: execution.exitCode }),
  };
}

function replayOf({ verdict, job }: Execution): Pick<Result, 'replayed' | 'replay_note'> {
  const { replayed } = job.options;
  if (!replayed) return {};
  const note = replayed.note(verdict?.status === 'stopped');
  return { replayed: true, ...(note !== undefined && { replay_note: note }) };
}

function cutMark(leftOutBytes: number): string {
  return `…[+${leftOutBytes} bytes]`;
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
function lossesOf(execution: Execution, excerpt: Excerpt, maps: readonly TypedMap[], kept: BoardMap[]) {
  const { ring, lostEvents } = execution;
  const total = (count: (map: TypedMap) => number | undefined): number =>
    maps.reduce((sum, map) => sum + (count(map) ?? 0), 0);
  const counts: Record<keyof Losses, number> = {
    lost_events: lostEvents,
    lines_dropped: linesDropped(ring),
    lines_truncated: excerpt.truncated,
    bytes_dropped: ring.droppedBytes,
    map_entries_dropped: kept.reduce((sum, map) => sum + entriesDropped(map), 0),
    maps_full: total(map => (map.full ? 1 : 0)),
    map_updates_lost: total(map => map.updates_lost),
    strings_cut: total(map => map.strings_cut),
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
  /** The execution whose child it shared; its own id, where others shared its. */
  childOf?: string;
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
    client: execution.client,
    ...(execution.isShared && { childOf: execution.job.options.id }),
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

export function summaryOf(execution: Execution, place: Place | undefined): Summary {
  const { verdict } = execution;
  const { program } = execution;
  return {
    execution_id: execution.id,
    status: execution.status,
    ...(verdict && { ended_by: verdict.endedBy }),
    ...(verdict?.reason && { reason: verdict.reason }),
    ...(place && { queue_position: place.position, estimated_start: place.startsInS }),
    lines_total: linesTotal(execution.ring),
    timeout: execution.deadlineMs / 1000,
    duration: Math.round(execution.durationMs) / 1000,
    ...(execution.job.options.replayed && { replayed: true as const }),
    submitted_at: execution.submittedAt.toISOString(),
    program: program.length > PROGRAM_CHARACTERS ? `${program.slice(0, PROGRAM_CHARACTERS)}…` : program,
  };
}
