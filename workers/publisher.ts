import { capacityOf, publishBoard } from '../src/contract/board.js';
import { type Cell, WORD } from '../src/contract/cell.js';
import type { LatestMaps } from './map/latest-maps.js';
import type { RecordReader } from './records.js';
import type { RingWriter } from './ring-writer.js';
import type { StderrText } from './stderr-text.js';

/** The board is written at most this often: a program that prints a map a thousand times a second costs one copy. */
const BOARD_EVERY_MS = 20;
/** A map of thousands of keys takes 20 ms to take apart, one of stacks more: up to a bound, a tenth of the time goes into it. */
const BOARD_PAUSE_SHARE = 9;
const BOARD_EVERY_MS_MAX = 2000;

/** Makes what has been read visible to the main thread: counters and lines at once, the board a little later. */
export class Publisher {
  private announcedLines = 0;
  private boardTimer: NodeJS.Timeout | undefined;
  private nextBoardAt = 0;

  constructor(
    private readonly cell: Cell,
    private readonly board: SharedArrayBuffer,
    private readonly ring: RingWriter,
    private readonly reader: RecordReader,
    private readonly maps: LatestMaps,
    private readonly stderr: StderrText,
    /** Of the probes that bpftrace attaches, those that are not the program's. */
    private readonly addedProbes: number,
  ) {}

  /** After every chunk. */
  publish(): void {
    const { attachedProbes, lostEvents } = this.reader.counters;
    this.cell.store(WORD.ATTACHED_PROBES, Math.max(-1, attachedProbes - this.addedProbes));
    this.cell.lostEvents = lostEvents;
    if (this.maps.dirty || this.stderr.dirty) this.publishBoardSoon();
    if (this.ring.linesTotal === this.announcedLines) return;
    this.announcedLines = this.ring.linesTotal;
    this.cell.announce();
  }

  /** When what it shows must be there before something else is told. */
  publishBoard(): void {
    clearTimeout(this.boardTimer);
    this.publishBoardNow();
  }

  /** The board as it is in the end; nothing is published after it. */
  close(): Uint8Array {
    clearTimeout(this.boardTimer);
    this.publish();
    clearTimeout(this.boardTimer);
    return this.maps.encode(this.stderr.toString(), capacityOf(this.board));
  }

  private publishBoardSoon(): void {
    if (this.boardTimer) return;
    const waitMs = Math.max(0, this.nextBoardAt - performance.now());
    if (waitMs === 0) this.publishBoardNow();
    else this.boardTimer = setTimeout(() => this.publishBoardNow(), waitMs);
  }

  private publishBoardNow(): void {
    this.boardTimer = undefined;
    const begun = performance.now();
    const newMaps = this.maps.dirty;
    publishBoard(this.board, this.maps.encode(this.stderr.toString(), capacityOf(this.board)));
    const now = performance.now();
    const pauseMs = Math.max(BOARD_EVERY_MS, BOARD_PAUSE_SHARE * (now - begun));
    this.nextBoardAt = now + Math.min(BOARD_EVERY_MS_MAX, pauseMs);
    if (newMaps) this.cell.store(WORD.MAPS, this.cell.load(WORD.MAPS) + 1);
    this.cell.announce();
  }
}
