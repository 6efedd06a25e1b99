import type { MessagePort } from 'node:worker_threads';
import type { ChildEnd, Ending } from './child-end.js';
import type { ProgramMaps } from './program-map.js';
import type { RecordTask, ReplayTask } from './recording.js';
import type { SnapshotMethod } from './snapshot.js';
import type { Supervised } from './supervisor.js';

/** What the main thread hands a worker, and what comes back. Plain data: both cross threads by copy. */

/** How to start bpftrace. The program is not among the arguments: it travels on standard input. */
export interface SpawnPlan {
  command: string;
  args: string[];
  env: Record<string, string>;
  /** bpftrace is not `command` itself: a supervisor behind it starts it, and is told what and with which rights. */
  supervised?: Supervised;
  /** What a short command answers is kept, or was. */
  answers?: AnswersPlan;
}

export interface AnswersPlan {
  /** Of the recording. */
  folder: string;
  /** bpftrace's own. */
  args: string[];
  /** Nothing is run: the answer is the one that was kept. */
  recorded: boolean;
}

export interface TraceTask {
  /** What runs: a bpftrace, or the recording of one. */
  spawn: SpawnPlan | ReplayTask;
  /** Absent: it is not recorded. */
  record?: RecordTask | undefined;
  program: string;
  /** What the program's text says of its maps. */
  programMaps: ProgramMaps;
  /** Absent where its maps can't be read before it ends. */
  snapshots?: SnapshotMethod | undefined;
  /** From attached to the ladder's first step. */
  deadlineMs: number;
  /** From the spawn to the ladder's first step, for a child that never gets attached. */
  startTimeoutMs: number;
  /** How long a child that shows no sign of progress is left after SIGINT. */
  graceMs: number;
  /** How long any child is left after SIGINT. */
  graceMaxMs: number;
  /** It is ended when it prints more than that many bytes a second for so long; absent: never. */
  flood?: { bytesPerS: number; forMs: number } | undefined;
  /** Share of one map on the board. */
  mapBytesMax: number;
  /** The {@link PipeStock} that the child's standard output is taken from. */
  pipes: SharedArrayBuffer;
  cell: SharedArrayBuffer;
  ring: SharedArrayBuffer;
  board: SharedArrayBuffer;
}

/** What a worker is handed that keeps a bpftrace ready for a program. */
export interface StandbyTask {
  spawn: SpawnPlan;
  pipes: SharedArrayBuffer;
  /** Of the execution that will take it. */
  cell: SharedArrayBuffer;
  /** The {@link TraceTask} comes here; that it is closed means that none will. */
  port: MessagePort;
}

/** A bpftrace that was to stand by, and ended without having been given a program, or was told to. */
export interface StandbyEnd {
  /** Absent when it was told to. */
  lost?: string;
}

/** How the child ended, as the worker saw it. A failure has the shape of success plus what failed. */
export interface TraceOutcome extends ChildEnd {
  /** The spawn itself failed: the operating system's error code and message; everything below is empty. */
  spawnError?: { code: string; message: string };
  /** Absent when the child ended of itself. */
  ending?: Ending;
  attached: boolean;
  /** It was gone before it had its program. */
  ranNothing: boolean;
  /** Why the bpftrace that stood by was of no use, and another one was started in its place. */
  standbyLost?: string | undefined;
  /** Why there is no recording of it. */
  notRecorded?: string | undefined;
  /** It found nothing to attach but what was added for snapshots, and was ended. */
  onlyAddition: boolean;
  /** Milliseconds from attached (from the spawn, if never attached) to the end. */
  durationMs: number;
  /** A ring in its own layout, exactly as large as what it holds. */
  lines: ArrayBuffer;
  /** An encoded board. */
  board: Uint8Array;
}
