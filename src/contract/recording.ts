import type { ChildEnd, Ending } from './child-end.js';

/**
 * The recording of one child: the exact bytes that it printed, when, and how it went, in a file of its own.
 *
 *   first line   a {@link RecordingHeader} as JSON, ended by a newline
 *   frames       until the end of the file, each
 *                  byte 0       kind, one of {@link FRAME}
 *                  bytes 1-8    Float64, little-endian: when, ms from the moment it was given its program
 *                  bytes 9-12   Uint32, little-endian: length of what follows
 *                  payload      bytes as they were read, or JSON
 *
 *   last bytes   Uint32, little-endian: length of the last frame with its head, which is `end`
 *
 * A file is written as `NAME.part` and gets its name when it is whole. Names sort in the order in which the children
 * were started.
 */
export const FORMAT = 'bpftrace-mcp recording';
export const FORMAT_VERSION = 1;
export const RECORDING_SUFFIX = '.trace';
export const PART_SUFFIX = '.part';
export const FRAME_HEAD_BYTES = 13;
/** Longest first line: a program of the largest size, every byte of it an escape. */
export const HEADER_BYTES_MAX = 128 * 1024 * 1024;

export const FRAME = {
  stdout: 0x6f, // o
  stderr: 0x65, // e
  /** Everything is attached. */
  attached: 0x61, // a
  /** The ladder begins; {@link EndingFrame}. */
  ending: 0x78, // x
  /** It is about to be sent the signal for a snapshot. */
  snapshotSignal: 0x73, // s
  /** What it printed for it has been read; {@link SnapshotFrame}. */
  snapshotRead: 0x6d, // m
  /** Who asked for it is answered; {@link AnswerFrame}. */
  snapshotAnswer: 0x77, // w
  /** {@link EndFrame}. */
  end: 0x7a, // z
} as const;

export interface RecordingHeader {
  format: typeof FORMAT;
  version: typeof FORMAT_VERSION;
  /** The execution that it was started for; of several children of one, the last counts. */
  execution: string;
  /** ISO 8601. */
  recorded_at: string;
  program: string;
  deadline_ms: number;
  max_lines: number;
  /** Under which it was admitted. */
  policy: string;
  /** How its maps can be read while it runs, or why they can't be. */
  snapshots: { method: object } | { unsupported: string };
  /** Limits of maps that the environment had set. */
  map_limits: { keysMax?: number; stringBytesMax?: number };
  /** What it was allowed, as its result tells it. */
  bounds: { graceS: number; floodS: number; floodBytesPerS: number };
}

export interface EndingFrame {
  cause: Ending;
}

export interface SnapshotFrame {
  /** They were shown. */
  shown: boolean;
  /** From attached to the signal. */
  at_ms: number;
}

export interface AnswerFrame {
  /** One of `SnapshotAnswer`. */
  answer: number;
}

/** The moment of this frame is that of the child's exit. */
export interface EndFrame extends ChildEnd {
  /** It could not be started. */
  spawn_error?: { code: string; message: string };
  /** As {@link EndingFrame} has it. */
  ending?: Ending;
  /** Times that a snapshot was asked for and answered. */
  snapshots: number;
  /** Of bpftrace, on which it depends how maps are read; absent: it did not tell. */
  bpftrace?: { major: number; minor: number };
}

/** What a worker is told about a recording to be made. */
export interface RecordTask {
  /** Without its suffix. */
  path: string;
  header: RecordingHeader;
  /** One that grows beyond it is given up. */
  bytesMax: number;
}

/** What a worker is told about a recording to be played. */
export interface ReplayTask {
  /** With its suffix. */
  path: string;
  /** Its last frame, and the moment of it. */
  end: EndFrame;
  endedAtMs: number;
  /** Without the pauses of the recording. */
  fast: boolean;
}
