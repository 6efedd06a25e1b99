/**
 * The board: what must not be pushed out by a flood of lines. The latest snapshot of every map and what
 * bpftrace said on standard error, in a place of their own.
 *
 * Layout (one SharedArrayBuffer):
 *
 *   Int32 word 0   COUNT     worker: number of publications, the sequence lock; 0 = nothing published yet
 *   Int32 word 1   LENGTH_0  worker: bytes used in half 0
 *   Int32 word 2   LENGTH_1  worker: bytes used in half 1
 *   bytes 16..     half 0, then half 1, each of the same capacity, holding an encoded {@link BoardContent}
 *
 * Order: publication n goes into half n % 2 and is announced by storing COUNT = n. A reader loads COUNT,
 * copies that half and loads COUNT again; unchanged means that the writer cannot have touched the half
 * meanwhile, since it begins on it only after publishing n + 1. Otherwise the reader copies again: the
 * writer publishes some fifty times a second at most, so the second copy succeeds. (Fences as in ring.ts.)
 */
const BOARD_HEADER_BYTES = 16;

/** Kept of standard error: the first bytes say why it failed, the last ones what happened in the end. */
export const STDERR_HEAD_BYTES = 24_576;
export const STDERR_TAIL_BYTES = 8_192;
/** Its share of the board: invalid UTF-8 grows to three bytes a byte; the rest is for the line that names the gap. */
export const STDERR_BYTES_MAX = 3 * (STDERR_HEAD_BYTES + STDERR_TAIL_BYTES) + 64;

const COUNT = 0;
const LENGTH = 1;

/** One map as bpftrace printed it last: see map-codec.ts for what its parts hold. */
export interface BoardMap {
  /** Everything but the entries: {@link MapHead} as JSON. */
  head: Uint8Array;
  /** Largest value first, length-prefixed one after another; as many as there was room for. */
  entries: Uint8Array;
}

export interface BoardContent {
  maps: BoardMap[];
  /** Head and tail of standard error; a gap is said in a line of its own. */
  stderr: string;
}

export const EMPTY_BOARD: BoardContent = { maps: [], stderr: '' };

export function boardBytes(capacityBytes: number): number {
  return BOARD_HEADER_BYTES + 2 * capacityBytes;
}

export function capacityOf(shared: SharedArrayBuffer): number {
  return (shared.byteLength - BOARD_HEADER_BYTES) / 2;
}

/** Main thread, before the buffer is handed to a worker. */
export function clearBoard(shared: SharedArrayBuffer): void {
  new Int32Array(shared, 0, 4).fill(0);
}

/** Worker: publishes `encoded`, which must fit the capacity. */
export function publishBoard(shared: SharedArrayBuffer, encoded: Uint8Array): void {
  const capacity = capacityOf(shared);
  if (encoded.byteLength > capacity)
    throw new RangeError(`${encoded.byteLength} bytes do not fit a board of ${capacity}`);
  const words = new Int32Array(shared, 0, 4);
  const count = Atomics.load(words, COUNT) + 1;
  const half = count & 1;
  new Uint8Array(shared, BOARD_HEADER_BYTES + half * capacity, encoded.byteLength).set(encoded);
  Atomics.store(words, LENGTH + half, encoded.byteLength);
  Atomics.exchange(words, COUNT, count);
}

/** Main thread: the latest publication, never a torn one. */
export function readBoard(shared: SharedArrayBuffer): BoardContent {
  const capacity = capacityOf(shared);
  const words = new Int32Array(shared, 0, 4);
  for (;;) {
    const count = Atomics.load(words, COUNT);
    if (count === 0) return EMPTY_BOARD;
    const half = count & 1;
    const length = Atomics.load(words, LENGTH + half);
    const copy = new Uint8Array(shared, BOARD_HEADER_BYTES + half * capacity, length).slice();
    if (Atomics.add(words, COUNT, 0) === count) return decodeBoard(copy);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes that a map takes on the board beyond its head and entries. */
export const MAP_OVERHEAD_BYTES = 8;
/** Bytes that an entry takes beyond itself. */
export const ENTRY_OVERHEAD_BYTES = 4;

/** Parts are length-prefixed; numbers are little-endian Uint32. */
export function encodeBoard(content: BoardContent): Uint8Array {
  const parts: Uint8Array[] = [...prefixed(encoder.encode(content.stderr)), number(content.maps.length)];
  for (const map of content.maps) parts.push(...prefixed(map.head), ...prefixed(map.entries));
  return new Uint8Array(Buffer.concat(parts));
}

export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(entries.flatMap(prefixed));
}

function prefixed(bytes: Uint8Array): Uint8Array[] {
  return [number(bytes.byteLength), bytes];
}

function number(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** Its maps are views of `bytes`: whoever wants twenty entries of ten thousand pays for twenty. */
export function decodeBoard(bytes: Uint8Array): BoardContent {
  const reader = new Reader(bytes);
  const stderr = decoder.decode(reader.part());
  const maps: BoardMap[] = [];
  for (let left = reader.number(); left > 0; left--)
    maps.push({ head: reader.part(), entries: reader.part() });
  return { maps, stderr };
}

/** The entries of a map, one by one. */
export function* decodeEntries(entries: Uint8Array): Generator<Uint8Array> {
  const reader = new Reader(entries);
  while (!reader.isAtEnd) yield reader.part();
}

class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.byteLength;
  }

  number(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  part(): Uint8Array {
    const length = this.number();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
