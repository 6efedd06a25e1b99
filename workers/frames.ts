import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FRAME, FRAME_HEAD_BYTES, HEADER_BYTES_MAX } from '../src/contract/recording.js';

const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const KINDS: ReadonlySet<number> = new Set(Object.values(FRAME));
/** Behind the last frame. */
const LENGTH_BYTES = 4;

export interface Frame {
  kind: number;
  atMs: number;
  /** Valid until the next one is read. */
  payload: Buffer;
}

/** The frames of a recording, one after the other; never more of it in memory than one of them and a block. */
export class Frames {
  private readonly file: number;
  private held = Buffer.alloc(0);

  /** @throws Error where the file can't be read, or is no recording */
  constructor(path: string) {
    this.file = openSync(path, 'r');
    try {
      this.requireWhole(this.skipHeader());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @returns where the first frame begins */
  private skipHeader(): number {
    for (;;) {
      const end = this.held.indexOf(NEWLINE);
      if (end >= 0) {
        this.held = this.held.subarray(end + 1);
        return end + 1;
      }
      if (this.held.length > HEADER_BYTES_MAX || !this.more()) throw new Error('it is none');
    }
  }

  /**
   * From head to head up to the end: of a file with a hole, what comes before it would look like all that was seen.
   * @throws Error
   */
  private requireWhole(firstAt: number): void {
    const endAt = fstatSync(this.file).size - LENGTH_BYTES;
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    let kind: number | undefined;
    let at = firstAt;
    while (at < endAt && kind !== FRAME.end) {
      const read = readSync(this.file, head, 0, FRAME_HEAD_BYTES, at);
      kind = head.readUInt8(0);
      if (read < FRAME_HEAD_BYTES || !KINDS.has(kind) || !Number.isFinite(head.readDoubleLE(1))) break;
      at += FRAME_HEAD_BYTES + head.readUInt32LE(9);
    }
    if (kind !== FRAME.end || at !== endAt) throw new Error(`it is damaged at byte ${at}`);
  }

  /** Undefined behind the last. */
  next(): Frame | undefined {
    if (!this.fill(FRAME_HEAD_BYTES)) return undefined;
    const length = this.held.readUInt32LE(9);
    if (!this.fill(FRAME_HEAD_BYTES + length)) return undefined;
    const frame = {
      kind: this.held.readUInt8(0),
      atMs: this.held.readDoubleLE(1),
      payload: this.held.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length),
    };
    this.held = this.held.subarray(FRAME_HEAD_BYTES + length);
    return frame;
  }

  close(): void {
    closeSync(this.file);
  }

  private fill(bytes: number): boolean {
    while (this.held.length < bytes) if (!this.more()) return false;
    return true;
  }

  private more(): boolean {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const read = readSync(this.file, block);
    this.held = Buffer.concat([this.held, block.subarray(0, read)]);
    return read > 0;
  }
}
