import { monotonicMs } from '../src/contract/cell.js';
import type { SnapshotMethod } from '../src/contract/snapshot.js';

export interface PrintedMap {
  /** With the `@`. */
  name: string;
  /** bpftrace's word for the record. */
  type: string;
  /** Its value, a character a byte. */
  json: string;
}

/** Between the marks, this long without a map and with something else printed: the mark behind them was lost. */
const MARK_LOST_MS = 1000;
/** Maps that follow one another this closely may still be coming; a silent bpftrace prints one map of many stacks. */
const PATIENCE_MS = 250;
const PATIENCE_WITHIN_MS = 2000;

/**
 * Tells maps that were printed for a snapshot from those that the program prints itself, which are its output.
 *
 * Where a probe was added (from 0.22 on), its marks stand around them; the program may print in between, on
 * another CPU. Up to 0.21 bpftrace prints them in one go, each once, with nothing in between: the first such run
 * behind the signal, or the largest where the program prints maps too. Of two with one name the earlier one is the
 * program's: their number is right then, and their values are those of the same moment.
 */
export class SnapshotReader {
  /** What becomes of a map that turned out to be the program's own. */
  programMap: (map: PrintedMap) => void = () => {};
  /** Between the marks; without marks, from the signal to the maps. */
  isOpen = false;
  private readonly run = new Map<string, PrintedMap>();
  private best: PrintedMap[] = [];
  private done: PrintedMap[] | undefined;
  private lastAt = 0;
  /** Something of a snapshot has come since {@link forget}. */
  hasBegun = false;

  /** Length of the text of a mark, and the byte it begins with; -1 when there are none. Marks are looked for at any time: they may come late. */
  readonly markBytes: number;
  readonly markByte: number;

  /** @param now the time, ms: of a recording it is that of its making */
  constructor(
    private readonly method: SnapshotMethod | undefined,
    private readonly now: () => number = monotonicMs,
  ) {
    const mark = method?.addition?.end;
    this.markBytes = mark?.length ?? -1;
    this.markByte = mark?.charCodeAt(0) ?? -1;
  }

  /** A snapshot is to be taken. */
  forget(): void {
    this.hasBegun = false;
  }

  /** The signal is about to be sent. */
  expect(): void {
    this.done = undefined;
    this.lastAt = this.now();
    if (!this.method?.addition) this.isOpen = true;
  }

  /** False when it is no mark. */
  mark(text: string): boolean {
    const addition = this.method?.addition;
    if (!addition || (text !== addition.begin && text !== addition.end)) return false;
    if (text === addition.begin) {
      this.giveBack([...this.run.values()]);
      this.isOpen = true;
      this.hasBegun = true;
    } else if (this.isOpen) {
      this.finish([...this.run.values()]);
    }
    this.run.clear();
    this.lastAt = this.now();
    return true;
  }

  /** False when it is the program's own. */
  map(map: PrintedMap): boolean {
    if (!this.isOpen) return false;
    const earlier = this.run.get(map.name);
    if (earlier) this.programMap(earlier);
    this.run.set(map.name, map);
    this.hasBegun = true;
    this.lastAt = this.now();
    return true;
  }

  /** Something else was printed. */
  other(): void {
    if (!this.isOpen) return;
    if (!this.method?.addition) this.endRun(false);
    else if (this.now() - this.lastAt > MARK_LOST_MS) this.isOpen = false;
  }

  /** A blank line: 0.17 and 0.23 print two before the maps at their end, which are the program's. */
  blank(): void {
    if (this.isOpen && !this.method?.addition) this.endRun(true);
    this.isOpen = false;
  }

  /**
   * The whole snapshot, once; undefined as long as it is not complete.
   * @param quiet bpftrace sleeps, and all that it has printed was read
   */
  take(quiet: boolean): PrintedMap[] | undefined {
    const waitedMs = this.now() - this.lastAt;
    const mayBeOver = this.run.size > 0 || waitedMs > PATIENCE_MS;
    if (quiet && this.isOpen && !this.method?.addition && mayBeOver) this.endRun(true);
    const taken = this.done;
    this.done = undefined;
    return taken;
  }

  /** Nothing more is to be expected of the last signal. Without marks each signal is answered, sooner or later. */
  get isInVain(): boolean {
    if (!this.method?.addition) return false;
    return this.now() - this.lastAt > (this.isOpen ? PATIENCE_WITHIN_MS : PATIENCE_MS);
  }

  /** @param last there will be no other run */
  private endRun(last: boolean): void {
    const run = [...this.run.values()];
    this.run.clear();
    if (run.length > this.best.length) {
      this.giveBack(this.best);
      this.best = run;
    } else {
      this.giveBack(run);
    }
    const { maps = 1, printsMaps } = this.method ?? { printsMaps: false };
    if (last || this.best.length >= (printsMaps ? maps : 1)) this.finish(this.best);
  }

  private finish(maps: PrintedMap[]): void {
    this.done = maps;
    this.best = [];
    this.isOpen = false;
  }

  private giveBack(maps: readonly PrintedMap[]): void {
    for (const map of maps) this.programMap(map);
  }
}
