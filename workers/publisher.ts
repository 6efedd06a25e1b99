import { capacityOf, publishBoard } from '../src/contract/board.js';
import { type Cell, WORD } from '../src/contract/cell.js';
import type { LatestMaps } from './map/latest-maps.js';
import type { RecordReader } from './records.js';
import type { RingWriter } from './ring-writer.js';
import type { StderrText } from './stderr-text.js';

/** The board is written at most this often: a program that prints a map a thousand times a second costs one copy. */
const BOARD_EVERY_MS = 20;

/** Makes what has been read visible to the main thread: counters and lines at once, the board a little later. */
export class Publisher {
  private announcedLines = 0;
  private boardTimer: NodeJS.Timeout | undefined;
  private lastBoardAt = 0;

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
    const waitMs = Math.max(0, this.lastBoardAt + BOARD_EVERY_MS - performance.now());
    if (waitMs === 0) this.publishBoardNow();
    else this.boardTimer = setTimeout(() => this.publishBoardNow(), waitMs);
  }

  private publishBoardNow(): void {
    this.boardTimer = undefined;
    this.lastBoardAt = performance.now();
    const newMaps = this.maps.dirty;
    publishBoard(this.board, this.maps.encode(this.stderr.toString(), capacityOf(this.board)));
    if (newMaps) this.cell.store(WORD.MAPS, this.cell.load(WORD.MAPS) + 1);
    this.cell.announce();
  }
}
