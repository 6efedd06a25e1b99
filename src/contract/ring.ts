/**
 * The ring: a flight recorder for lines. One writer (the worker) that never waits, any number of readers
 * (the main thread), the newest lines win.
 *
 * Layout of the buffer (a SharedArrayBuffer while the execution runs; the same layout in an ordinary,
 * exactly sized ArrayBuffer once it has ended, see {@link sealedRing}):
 *
 *   bytes 0..7     HEAD            Int64, writer: sequence number after the newest line = lines ever written
 *   bytes 8..15    TAIL            Int64, writer: sequence number of the oldest line that is still whole
 *   bytes 16..19   CAPACITY_LINES  Uint32, set before the ring is shared
 *   bytes 20..23   CAPACITY_BYTES  Uint32, set before the ring is shared
 *   bytes 24..31   DROPPED_BYTES   Float64, writer: bytes cut off lines that were too long; may be one commit old
 *   bytes 32..     index           CAPACITY_LINES entries of two Uint32: where the line's text begins in the
 *                                  data area, and its {@link pack}ed length, kind and truncation
 *   then           data            CAPACITY_BYTES bytes, circular; a line may wrap around its end
 *
 * Sequence numbers are absolute and 64 bits wide (2^53 is what JavaScript counts exactly: at 10 M lines/s
 * that is 28 years), so neither they nor a reader's offset ever wrap. The entry of line `n` stands in slot
 * `n % CAPACITY_LINES`. A buffer is as large as its capacities from the start: the kernel gives zero pages
 * only when they are first written, so an untouched ring costs address space and no memory.
 *
 * Order. The writer (1) publishes the TAIL that its next lines need, (2) copies text and entries, (3)
 * publishes HEAD. A reader loads HEAD and TAIL, copies, then loads TAIL again: lines below the second TAIL
 * may have been overwritten while they were copied, and are thrown away. (1) is a read-modify-write so that
 * no later plain store can move above it, and the reader's second load is one too, so that no earlier plain
 * load can move below it (the sequence-lock fences of Boehm, "Can Seqlocks Get Along With Programming
 * Language Memory Models?", MSPC 2012).
 */
const RING_HEADER_BYTES = 32;
const INDEX_ENTRY_BYTES = 8;

/** What the bytes of a line are. */
export const LineKind = {
  /** The body of a JSON string as bpftrace escaped it, without the quotes and the closing newline. */
  escaped: 0,
  /** The bytes as they came. */
  raw: 1,
  /** A JSON value: what `print(value)` printed, or an earlier snapshot of a map. */
  json: 2,
} as const;
export type LineKind = (typeof LineKind)[keyof typeof LineKind];

/** Longest text of one line in bytes: longer ones are cut and marked. Must stay below 2^24. */
export const LINE_BYTES_MAX = 65_536;

export function pack(lengthBytes: number, kind: LineKind, truncated: boolean): number {
  return lengthBytes | (kind << 24) | (truncated ? 1 << 28 : 0);
}

export function unpack(word: number): { lengthBytes: number; kind: LineKind; truncated: boolean } {
  return {
    lengthBytes: word & 0xffffff,
    kind: ((word >>> 24) & 0xf) as LineKind,
    truncated: (word & (1 << 28)) !== 0,
  };
}

/** Bytes that a ring of these capacities takes. */
export function ringBytes(capacityLines: number, capacityBytes: number): number {
  return RING_HEADER_BYTES + capacityLines * INDEX_ENTRY_BYTES + capacityBytes;
}

/** Views of one ring; each thread makes its own over the same bytes. */
export class RingViews {
  readonly counters: BigInt64Array;
  readonly capacityLines: number;
  readonly capacityBytes: number;
  readonly index: Uint32Array;
  readonly data: Uint8Array;
  private readonly droppedBytesWord: Float64Array;

  constructor(readonly buffer: ArrayBufferLike) {
    const capacities = new Uint32Array(buffer, 16, 2);
    this.counters = new BigInt64Array(buffer, 0, 2);
    this.capacityLines = capacities[0] ?? 0;
    this.capacityBytes = capacities[1] ?? 0;
    this.droppedBytesWord = new Float64Array(buffer, 24, 1);
    this.index = new Uint32Array(buffer, RING_HEADER_BYTES, this.capacityLines * 2);
    this.data = new Uint8Array(
      buffer,
      RING_HEADER_BYTES + this.capacityLines * INDEX_ENTRY_BYTES,
      this.capacityBytes,
    );
  }

  get droppedBytes(): number {
    return this.droppedBytesWord[0] ?? 0;
  }

  set droppedBytes(value: number) {
    this.droppedBytesWord[0] = value;
  }
}

/** Writes the capacities into a fresh or reused buffer and clears its counters; call it before sharing. */
export function initRing(buffer: ArrayBufferLike, capacityLines: number, capacityBytes: number): RingViews {
  if (buffer.byteLength < ringBytes(capacityLines, capacityBytes)) {
    throw new RangeError(
      `a ring of ${capacityLines} lines and ${capacityBytes} bytes does not fit its buffer`,
    );
  }
  new BigInt64Array(buffer, 0, 2).fill(0n);
  new Uint32Array(buffer, 16, 2).set([capacityLines, capacityBytes]);
  const ring = new RingViews(buffer);
  ring.droppedBytes = 0;
  return ring;
}

export const HEAD = 0;
export const TAIL = 1;

/**
 * A copy of what the ring holds, exactly as large as that is, in the ring's own layout: the same reader
 * serves both. Only for a ring whose writer has stopped.
 */
export function sealedRing(ring: RingViews): ArrayBuffer {
  const head = Number(Atomics.load(ring.counters, HEAD));
  const tail = Number(Atomics.load(ring.counters, TAIL));
  const lines = head - tail;
  let bytes = 0;
  for (let seq = tail; seq < head; seq++) {
    bytes += unpack(ring.index[(seq % ring.capacityLines) * 2 + 1] ?? 0).lengthBytes;
  }
  const sealed = new ArrayBuffer(ringBytes(lines, bytes));
  const target = initRing(sealed, lines, bytes);
  let position = 0;
  for (let seq = tail; seq < head; seq++) {
    const slot = (seq % ring.capacityLines) * 2;
    const word = ring.index[slot + 1] ?? 0;
    const { lengthBytes } = unpack(word);
    copyOut(ring, ring.index[slot] ?? 0, lengthBytes, target.data, position);
    const targetSlot = (seq % lines) * 2;
    target.index[targetSlot] = position;
    target.index[targetSlot + 1] = word;
    position += lengthBytes;
  }
  target.droppedBytes = ring.droppedBytes;
  Atomics.store(target.counters, TAIL, BigInt(tail));
  Atomics.store(target.counters, HEAD, BigInt(head));
  return sealed;
}

/**
 * The same of a ring that is being written: what was overwritten meanwhile counts as dropped. HEAD is loaded before
 * the copy and TAIL after it, since the writer raises TAIL before it overwrites a line.
 */
export function sealedWhileWritten(ring: RingViews): ArrayBuffer {
  const head = Atomics.load(ring.counters, HEAD);
  if (head === 0n) return sealedRing(initRing(new ArrayBuffer(ringBytes(0, 0)), 0, 0));
  const copy = new RingViews(ring.buffer.slice(0));
  const tail = Atomics.add(ring.counters, TAIL, 0n);
  copy.counters[TAIL] = tail;
  copy.counters[HEAD] = head > tail ? head : tail;
  return sealedRing(copy);
}

/** Copies a line's text out of the circular data area, in two parts where it wraps. */
export function copyOut(
  ring: RingViews,
  start: number,
  lengthBytes: number,
  target: Uint8Array,
  at: number,
): void {
  const untilWrap = ring.capacityBytes - start;
  if (lengthBytes <= untilWrap) {
    target.set(ring.data.subarray(start, start + lengthBytes), at);
  } else {
    target.set(ring.data.subarray(start), at);
    target.set(ring.data.subarray(0, lengthBytes - untilWrap), at + untilWrap);
  }
}
