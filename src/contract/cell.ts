/**
 * The cell: the few words by which the main thread and the worker of one execution steer each other.
 *
 * Layout (one SharedArrayBuffer of {@link CELL_BYTES} bytes, little words first):
 *
 *   Int32 word  name             writer   meaning
 *   0           COMMAND          main     what the owner asks of the worker, one of {@link Command}; only ever rises
 *   1           PHASE            worker   where the child stands, one of {@link Phase}; only ever rises
 *   2           NEWS             worker   counts publications (lines, maps, standard error); wraps, compare for equality
 *   3           PID              worker   process id of the child, which is also its process group; 0 before the spawn
 *   4           ATTACHED_PROBES  worker   what bpftrace said it attached (to); -1 (from main, at first) before it said so
 *   5           ENDING_CAUSE     worker   one of {@link EndingCause}, set before PHASE becomes `ending`
 *   6           MAPS             worker   counts publications of maps; wraps, compare for equality
 *   14          BPFTRACE         main     its version, see {@link Cell.bpftraceVersion}; 0 until it is known
 *   16          SNAPSHOTS_ASKED     main    snapshots asked for so far; wraps, compare for equality
 *   17          SNAPSHOTS_ANSWERED  worker  the value of SNAPSHOTS_ASKED that has been answered
 *   18          SNAPSHOT_ANSWER     worker  how, one of {@link SnapshotAnswer}, set before SNAPSHOTS_ANSWERED
 *   byte 32     ATTACHED_AT      worker   Float64, {@link monotonicMs}, written before PHASE becomes `running`
 *   byte 40     LOST_EVENTS      worker   Float64, events that the kernel's buffers dropped, as bpftrace counts them
 *   byte 80     SNAPSHOT_AT      worker   Float64, ms from attached to the snapshot that the board shows; 0 when it shows none
 *
 * Order: a worker writes the plain words first and stores PHASE or NEWS last (a sequentially consistent
 * store), so whoever has seen the new PHASE or NEWS sees what it announces. LOST_EVENTS may be one
 * publication old. Both PHASE and NEWS are notified, so `Atomics.waitAsync` on either wakes the main thread.
 */
const CELL_BYTES = 128;

export const WORD = {
  COMMAND: 0,
  PHASE: 1,
  NEWS: 2,
  PID: 3,
  ATTACHED_PROBES: 4,
  ENDING_CAUSE: 5,
  MAPS: 6,
  BPFTRACE: 14,
  SNAPSHOTS_ASKED: 16,
  SNAPSHOTS_ANSWERED: 17,
  SNAPSHOT_ANSWER: 18,
} as const;

const ATTACHED_AT_FLOAT = 4;
const LOST_EVENTS_FLOAT = 5;
const SNAPSHOT_AT_FLOAT = 10;

/** `stop` ends the child by the ladder and keeps its maps; `kill` ends it at once. */
export const Command = { none: 0, stop: 1, kill: 2 } as const;
export type Command = (typeof Command)[keyof typeof Command];

export const Phase = { idle: 0, starting: 1, running: 2, ending: 3 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

export const EndingCause = { none: 0, deadline: 1, stop: 2, startTimeout: 3, flood: 4 } as const;
export type EndingCause = (typeof EndingCause)[keyof typeof EndingCause];

/** Of a bpftrace that does not tell. */
const NO_VERSION = 1;
/** Milliseconds of the system's monotonic clock: the same in every thread, and blind to changes of the time of day. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Typed views of one cell; each thread makes its own over the same shared bytes. */
export class Cell {
  readonly words: Int32Array<SharedArrayBuffer>;
  private readonly floats: Float64Array<SharedArrayBuffer>;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(CELL_BYTES)) {
    this.words = new Int32Array(shared);
    this.floats = new Float64Array(shared);
  }

  load(word: number): number {
    return Atomics.load(this.words, word);
  }

  store(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /** Main thread: raises the command; a lower one never replaces a higher one. */
  command(command: Command): void {
    if (this.load(WORD.COMMAND) >= command) return;
    this.store(WORD.COMMAND, command);
    Atomics.notify(this.words, WORD.COMMAND);
  }

  /** Of bpftrace: `pending` until it is known, undefined when bpftrace does not tell. */
  get bpftraceVersion(): { major: number; minor: number } | 'pending' | undefined {
    const word = this.load(WORD.BPFTRACE);
    if (word === 0) return 'pending';
    return word === NO_VERSION
      ? undefined
      : { major: Math.floor((word - 2) / 1000), minor: (word - 2) % 1000 };
  }

  /** Main thread: the version of bpftrace, undefined when it does not tell. */
  tellVersion(version: { major: number; minor: number } | undefined): void {
    this.store(WORD.BPFTRACE, version ? 2 + version.major * 1000 + version.minor : NO_VERSION);
    Atomics.notify(this.words, WORD.BPFTRACE);
  }

  /** Worker: announces a new phase. */
  enter(phase: Phase): void {
    this.store(WORD.PHASE, phase);
    Atomics.notify(this.words, WORD.PHASE);
    this.announce();
  }

  /** Worker: says that something can be read that could not be read before. */
  announce(): void {
    Atomics.add(this.words, WORD.NEWS, 1);
    Atomics.notify(this.words, WORD.NEWS);
  }

  /** {@link monotonicMs} of the moment when everything was attached; 0 until then. */
  get attachedAtMs(): number {
    return this.floats[ATTACHED_AT_FLOAT] ?? 0;
  }

  set attachedAtMs(value: number) {
    this.floats[ATTACHED_AT_FLOAT] = value;
  }

  /** Milliseconds from attached to the snapshot that the maps are of; 0 when they are what the program printed. */
  get snapshotAtMs(): number {
    return this.floats[SNAPSHOT_AT_FLOAT] ?? 0;
  }

  set snapshotAtMs(value: number) {
    this.floats[SNAPSHOT_AT_FLOAT] = value;
  }

  /** Main thread, when the worker has stopped: nobody waits for it any longer. */
  wakeAll(): void {
    Atomics.notify(this.words, WORD.SNAPSHOTS_ANSWERED);
    Atomics.notify(this.words, WORD.PHASE);
    Atomics.notify(this.words, WORD.NEWS);
  }

  /** Worker: the snapshot that was asked for as number `asked` has been answered. @param how one of {@link SnapshotAnswer} */
  answerSnapshot(asked: number, how: number): void {
    this.store(WORD.SNAPSHOT_ANSWER, how);
    this.store(WORD.SNAPSHOTS_ANSWERED, asked);
    this.announce();
    Atomics.notify(this.words, WORD.SNAPSHOTS_ANSWERED);
  }

  get lostEvents(): number {
    return this.floats[LOST_EVENTS_FLOAT] ?? 0;
  }

  set lostEvents(value: number) {
    this.floats[LOST_EVENTS_FLOAT] = value;
  }
}
