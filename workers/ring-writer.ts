import { HEAD, type LineKind, pack, type RingViews, TAIL, unpack } from '../src/contract/ring.js';

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
  /** Absolute position at which the oldest kept line begins. */
  private tailPosition = 0;

  /** Staged entries: [start within the source, packed word] each; circular, so a run of any length fits. */
  private readonly staged: Uint32Array;
  private stagedCount = 0;

  constructor(private readonly ring: RingViews) {
    this.staged = new Uint32Array(ring.capacityLines * 2);
  }

  get linesTotal(): number {
    return this.head + this.stagedCount;
  }

  /** Adds a line that lies at `start` of the source that the next {@link commit} will be given. */
  stage(start: number, lengthBytes: number, kind: LineKind, truncated = false): void {
    const slot = (this.stagedCount % this.ring.capacityLines) * 2;
    this.staged[slot] = start;
    this.staged[slot + 1] = pack(lengthBytes, kind, truncated);
    this.stagedCount++;
  }

  addDroppedBytes(count: number): void {
    this.ring.droppedBytes += count;
  }

  /** Copies the staged lines out of `source` and publishes them. */
  commit(source: Uint8Array): void {
    const { ring, staged, stagedCount } = this;
    if (stagedCount === 0) return;
    this.stagedCount = 0;

    let first = Math.max(0, stagedCount - ring.capacityLines);
    const lastSlot = ((stagedCount - 1) % ring.capacityLines) * 2;
    const end = (staged[lastSlot] ?? 0) + unpack(staged[lastSlot + 1] ?? 0).lengthBytes;
    // Lines whose text alone would not fit are given up from the oldest on, as if they had been overwritten.
    while (first < stagedCount - 1 && end - this.stagedStart(first) >= ring.capacityBytes) first++;
    const begin = this.stagedStart(first);
    const bytes = end - begin;
    // One byte more than the text, so that two lines never begin at the same position, be they empty.
    const span = bytes + 1;

    const newHead = this.head + stagedCount;
    this.makeRoom(newHead, this.head + first, span);
    Atomics.exchange(ring.counters, TAIL, BigInt(this.tail));

    const at = this.position % ring.capacityBytes;
    const untilWrap = ring.capacityBytes - at;
    if (bytes <= untilWrap) {
      ring.data.set(source.subarray(begin, end), at);
    } else {
      ring.data.set(source.subarray(begin, begin + untilWrap), at);
      ring.data.set(source.subarray(begin + untilWrap, end), 0);
    }
    for (let i = first; i < stagedCount; i++) {
      const from = (i % ring.capacityLines) * 2;
      const to = ((this.head + i) % ring.capacityLines) * 2;
      ring.index[to] = (at + (staged[from] ?? 0) - begin) % ring.capacityBytes;
      ring.index[to + 1] = staged[from + 1] ?? 0;
    }
    this.position += span;
    this.head = newHead;
    Atomics.store(ring.counters, HEAD, BigInt(newHead));
  }

  /** Moves the tail past every line that the coming run overwrites, in slots or in bytes. */
  private makeRoom(newHead: number, firstKept: number, span: number): void {
    const { ring } = this;
    const oldest = newHead - ring.capacityLines;
    if (oldest >= this.head || firstKept > this.head) {
      // Nothing of what stood before survives: the first kept line of the run becomes the tail.
      this.tail = firstKept;
      this.tailPosition = this.position;
      return;
    }
    const lowestPosition = this.position + span - ring.capacityBytes;
    while (this.tail < this.head && (this.tail < oldest || this.tailPosition < lowestPosition)) {
      this.tailPosition += this.distanceToNext(this.tail);
      this.tail++;
    }
  }

  /** Bytes between the beginning of line `seq` and that of its successor. */
  private distanceToNext(seq: number): number {
    const { ring } = this;
    const here = ring.index[(seq % ring.capacityLines) * 2] ?? 0;
    const next =
      seq + 1 < this.head
        ? (ring.index[((seq + 1) % ring.capacityLines) * 2] ?? 0)
        : this.position % ring.capacityBytes;
    const distance = next - here;
    return distance > 0 ? distance : distance + ring.capacityBytes;
  }

  private stagedStart(i: number): number {
    return this.staged[(i % this.ring.capacityLines) * 2] ?? 0;
  }
}
