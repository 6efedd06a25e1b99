import { STDERR_HEAD_BYTES, STDERR_TAIL_BYTES } from '../src/contract/board.js';

/** What bpftrace said on standard error, bounded: head and tail; a gap between them is said in a line of its own. */

export class StderrText {
  private head = Buffer.alloc(0);
  private tail = Buffer.alloc(0);
  private omittedBytes = 0;
  /** Changed since the last {@link toString}. */
  dirty = false;

  push(chunk: Buffer): void {
    this.dirty = true;
    const room = STDERR_HEAD_BYTES - this.head.length;
    if (room > 0) this.head = Buffer.concat([this.head, chunk.subarray(0, room)]);
    if (chunk.length <= room) return;
    const joined = Buffer.concat([this.tail, chunk.subarray(Math.max(0, room))]);
    const excess = Math.max(0, joined.length - STDERR_TAIL_BYTES);
    this.omittedBytes += excess;
    this.tail = joined.subarray(excess);
  }

  toString(): string {
    this.dirty = false;
    const gap = this.omittedBytes > 0 ? `\n[${this.omittedBytes} bytes left out]\n` : '';
    return this.head.toString('utf8') + gap + this.tail.toString('utf8');
  }
}
