import type { Cell } from '../src/contract/cell.js';
import type { Ending } from '../src/contract/child-end.js';
import type { Bell } from './attach-watch.js';
import type { Exit } from './child.js';
import type { Counters } from './records.js';
import type { PrintedMap, SnapshotReader } from './snapshot-reader.js';
import type { SnapshotWitness } from './snapshots.js';

/**
 * What a worker follows: a bpftrace (live-source.ts), or the recording of one (replay-source.ts). It tells its
 * follower what was printed, when everything is attached, and when a bound is met; what is made of that is the same
 * for both.
 */
export interface Source {
  /** Of the process, which leads a group of its own; 0: there is none. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** The clock by which its times are told, in ms. */
  now(): number;
  /** Tells the follower of each step from here on. */
  lead(follower: Follower): void;
  /** Its owner wants its end: calls `end`, at once or when there is one. */
  stop(end: () => void): void;
  /** Ends it; true if SIGKILL was needed. @param hurry aborted when there is no time for its maps */
  end(hurry: AbortSignal): Promise<boolean>;
  /** After it has exited: reads what is left. False if something of it is still there. */
  finish(): Promise<boolean>;
  /** It was gone before it had its program. */
  readonly ranNothing: boolean;
}

export interface Follower {
  readonly cell: Cell;
  readonly counters: Counters;
  /** Rings when something was read. */
  readonly bell: Bell;
  readonly snapshotReader: SnapshotReader;
  /** Read from it so far. */
  outputBytes(): number;
  /** Everything is attached; false when it is ending already. */
  attached(): boolean;
  end(cause: Ending): void;
  showSnapshot(maps: PrintedMap[], atMs: number): void;
  /** Aborted when it has exited. */
  readonly gone: AbortSignal;
  /** Aborted when it is told to end, or has exited. */
  readonly over: AbortSignal;
  readonly witness: SnapshotWitness | undefined;
}
