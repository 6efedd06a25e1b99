import { HEAD, type LineKind, pack, type RingViews, TAIL, unpack } from '../src/contract/ring.js';

/**
 * V8 copies into shared memory word by word where both sides are aligned alike, and byte by byte where they are not
 * (measured: 20 GB/s and 2.8). In a short run a few bytes left out would be more than they save.
 */
const WORD_BYTES = 8;
const COPY_ALIGNED_FROM_BYTES = 512;

/**
 * The one writer of a ring. Lines are staged in a *run*: the stretch of source bytes they lie in, and where
 * in it each begins. A commit copies the whole stretch at once and publishes once, so a chunk of thousands
 * of lines costs one copy and one notification, and no allocation per line.
 */
export class RingWriter {
  /** Lines ever written. */
  private head = 0;
  private tail = 0;
  /** Absolute position in the stream of committed bytes at which the next run will be copied. */
  private position = 0;

  /** Staged entries: [start within the source, packed word] each; circular, so a run of any length fits. */
  readonly staging: Uint32Array;
  /** Where in {@link staging} the next entry goes. */
  stagingSlot = 0;
  private stagedCount = 0;

  constructor(private readonly ring: RingViews) {
    this.staging = new Uint32Array(ring.capacityLines * 2);
  }

  get linesTotal(): number {
    return this.head + this.stagedCount;
  }

  /** Adds a line that lies at `start` of the source that the next {@link commit} will be given. */
  stage(start: number, lengthBytes: number, kind: LineKind, truncated = false): void {
    this.staging[this.stagingSlot] = start;
    this.staging[this.stagingSlot + 1] = pack(lengthBytes, kind, truncated);
    this.stagedInPlace(1);
  }

  /** So many entries have been written from {@link stagingSlot} on. */
  stagedInPlace(count: number): void {
    this.stagedCount += count;
    this.stagingSlot = (this.stagingSlot + 2 * count) % this.staging.length;
  }

  addDroppedBytes(count: number): void {
    this.ring.droppedBytes += count;
  }

  /** Copies the staged lines out of `source` and publishes them. */
  commit(source: Uint8Array): void {
    const { ring, staging, stagedCount } = this;
    if (stagedCount === 0) return;
    this.stagedCount = 0;

    const [begin, end, count] = this.fitting(stagedCount);
    const bytes = end - begin;
    const padding = bytes < COPY_ALIGNED_FROM_BYTES ? 0 : this.untilAligned(source.byteOffset + begin);
    // One byte more than the text, so that two lines never begin at the same position, be they empty.
    const span = padding + bytes + 1;

    const newHead = this.head + stagedCount;
    this.makeRoom(newHead, newHead - count, span);
    Atomics.exchange(ring.counters, TAIL, BigInt(this.tail));

    const at = (this.position + padding) % ring.capacityBytes;
    const untilWrap = ring.capacityBytes - at;
    if (bytes <= untilWrap) {
      ring.data.set(source.subarray(begin, end), at);
    } else {
      ring.data.set(source.subarray(begin, begin + untilWrap), at);
      ring.data.set(source.subarray(begin + untilWrap, end), 0);
    }
    const { index } = ring;
    const shift = at - begin;
    let from = this.slotOf(count);
    let to = ((newHead - count) % ring.capacityLines) * 2;
    for (let i = 0; i < count; i++) {
      const start = (staging[from] ?? 0) + shift;
      index[to] = start < ring.capacityBytes ? start : start - ring.capacityBytes;
      index[to + 1] = staging[from + 1] ?? 0;
      from += 2;
      if (from === staging.length) from = 0;
      to += 2;
      if (to === index.length) to = 0;
    }
    this.position += span;
    this.head = newHead;
    Atomics.store(ring.counters, HEAD, BigInt(newHead));
  }

  /** Bytes to leave out before the next run, so that it lies in its words as at `offset` of its source. */
  private untilAligned(offset: number): number {
    const at = this.ring.data.byteOffset + (this.position % this.ring.capacityBytes);
    return (((offset - at) % WORD_BYTES) + WORD_BYTES) % WORD_BYTES;
  }

  /** Of the staged lines the newest that the ring can hold: where they begin and end in the source, and their number. */
  private fitting(stagedCount: number): [begin: number, end: number, count: number] {
    const { ring, staging } = this;
    const last = this.slotOf(1);
    const end = (staging[last] ?? 0) + unpack(staging[last + 1] ?? 0).lengthBytes;
    let count = Math.min(stagedCount, ring.capacityLines);
    // Lines whose text alone would not fit are given up from the oldest on, as if they had been overwritten.
    while (count > 1 && end - (staging[this.slotOf(count)] ?? 0) >= ring.capacityBytes) count--;
    return [staging[this.slotOf(count)] ?? 0, end, count];
  }

  /** Where the entry stands that was staged as the `nth` from the end. */
  private slotOf(nth: number): number {
    const slot = this.stagingSlot - 2 * nth;
    return slot < 0 ? slot + this.staging.length : slot;
  }

  /** Moves the tail past every line that the coming run overwrites, in slots or in bytes. */
  private makeRoom(newHead: number, firstKept: number, span: number): void {
    const oldest = newHead - this.ring.capacityLines;
    if (oldest >= this.head || firstKept > this.head) {
      // Nothing of what stood before survives: the first kept line of the run becomes the tail.
      this.tail = firstKept;
      return;
    }
    const lowestPosition = this.position + span - this.ring.capacityBytes;
    let low = Math.max(this.tail, oldest);
    if (low < this.head && this.positionOf(low) < lowestPosition) {
      // Positions rise from line to line.
      let high = this.head;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if (this.positionOf(middle) < lowestPosition) low = middle + 1;
        else high = middle;
      }
    }
    this.tail = low;
  }

  /** Absolute position at which a kept line begins: less than a whole round behind the next run. */
  private positionOf(seq: number): number {
    const { ring } = this;
    const here = ring.index[(seq % ring.capacityLines) * 2] ?? 0;
    const distance = (this.position % ring.capacityBytes) - here;
    return this.position - (distance > 0 ? distance : distance + ring.capacityBytes);
  }
}
