import type { RingViews } from '../contract/ring.js';
import { SIMPLE_BYTES, shortened, stringBytes } from './bytes.js';
import { type Pattern, searchLines } from './line-search.js';
import { type LineSlice, linesDropped, linesTotal, readLines } from './ring-reader.js';

/** The lines that one reply has room for. */
export interface Excerpt {
  output: string[];
  /** Sequence number of the first line, or where it would stand. */
  offset: number;
  /** Reads on behind `output`. */
  nextOffset: number;
  hasMore: boolean;
  /** The newest lines, where what stands between them and `output` had to be left out. */
  tail?: { offset: number; output: string[] };
  /** Of the lines given, those that bpftrace-mcp had cut when they were printed. */
  truncated: number;
  /** Of the lines given, those shortened to fit this reply. */
  shortened: number;
  search?: { matched: number; searched: number; offsets: number[] };
  /** What its lines take in a reply. */
  bytes: number;
}

/** Bytes and lines that an excerpt may take. */
interface Room {
  bytes: number;
  lines: number;
}

/** In an overview one line takes no more than this part of the room, so that a huge one hides no others. */
const LINE_SHARE = 1 / 4;
/** Raw bytes that are read for a byte that is shown: an escaped byte of ours is ten of bpftrace's. */
const RAW_PER_SHOWN = 10;
/** Of text that is mostly ASCII. */
const RAW_PER_SHOWN_MOSTLY = 2;

/** The lines from `offset` on without a gap: as many as fit, and one at least, shortened if it must be. */
export function page(ring: RingViews, offset: number, room: Room): Excerpt {
  const slice = enough(ring, offset, room);
  const output: string[] = [];
  const price = priceIn(slice);
  let bytes = 0;
  for (const line of slice.lines) {
    const isFirst = output.length === 0;
    const fitted = isFirst ? shortLine(line, slice.offset, room.bytes) : line;
    const lineBytes = isFirst ? stringBytes(fitted) : price(fitted);
    if (bytes + lineBytes > room.bytes && !isFirst) break;
    bytes += lineBytes;
    output.push(fitted);
  }
  const nextOffset = slice.offset + output.length;
  return {
    output,
    offset: slice.offset,
    nextOffset,
    hasMore: nextOffset < linesTotal(ring),
    truncated: slice.truncated.filter(i => i < output.length).length,
    shortened: output.length > 0 && output[0] !== slice.lines[0] ? 1 : 0,
    bytes,
  };
}

/** The lines from `offset` on, as many as there can be room for. */
function enough(ring: RingViews, offset: number, { bytes, lines }: Room): LineSlice {
  const slice = readLines(ring, offset, lines, bytes * RAW_PER_SHOWN_MOSTLY);
  const isAll = slice.lines.length === lines || slice.offset + slice.lines.length >= linesTotal(ring);
  if (isAll || slice.lines.reduce((sum, line) => sum + stringBytes(line), 0) > bytes) return slice;
  return readLines(ring, offset, lines, bytes * RAW_PER_SHOWN);
}

/** All lines that are kept, or the oldest and the newest of them. */
export function overview(ring: RingViews, room: Room): Excerpt {
  const total = linesTotal(ring);
  const first = linesDropped(ring);
  const lineBytes = room.bytes * LINE_SHARE;
  const all = readLines(ring, first, room.lines, room.bytes * RAW_PER_SHOWN);
  if (all.offset + all.lines.length >= total)
    for (const longest of [room.bytes, lineBytes]) {
      const whole = take(all, all.lines.length, room.bytes, longest);
      if (whole.nextOffset >= total) return { ...whole, hasMore: false };
    }

  const head = take(all, Math.ceil(room.lines / 2), room.bytes / 2, lineBytes);
  const from = Math.max(head.nextOffset, total - Math.floor(room.lines / 2));
  const newest = readLines(ring, from, total - from);
  const tail = takeLast(newest, room.bytes - head.bytes, lineBytes);
  return {
    ...head,
    bytes: head.bytes + tail.bytes,
    hasMore: true,
    truncated: head.truncated + tail.truncated,
    shortened: head.shortened + tail.shortened,
    ...(tail.output.length > 0 && { tail: { offset: tail.offset, output: tail.output } }),
  };
}

/** The lines from `offset` (from the oldest, if undefined) on in which `pattern` matches. */
export function matching(ring: RingViews, offset: number | undefined, pattern: Pattern, room: Room): Excerpt {
  const found = searchLines(ring, offset ?? 0, pattern, room.lines);
  const output: string[] = [];
  const offsets: number[] = [];
  let bytes = 0;
  let cut = 0;
  let truncated = 0;
  for (const { seq, text, truncated: wasTruncated } of found.matches) {
    const fitted = shortLine(text, seq, room.bytes * (output.length === 0 ? 1 / 2 : LINE_SHARE));
    const lineBytes = stringBytes(fitted) + seqBytes(seq);
    if (bytes + lineBytes > room.bytes && output.length > 0) break;
    bytes += lineBytes;
    output.push(fitted);
    offsets.push(seq);
    if (fitted !== text) cut++;
    if (wasTruncated) truncated++;
  }
  const complete = output.length === found.matched;
  const nextOffset = complete ? found.to : (offsets.at(-1) ?? found.from - 1) + 1;
  return {
    output,
    offset: found.from,
    nextOffset,
    hasMore: !complete || found.to < linesTotal(ring),
    truncated,
    shortened: cut,
    search: { matched: found.matched, searched: found.searched, offsets },
    bytes,
  };
}

type Taken = Omit<Excerpt, 'hasMore' | 'tail' | 'search'>;

/** The first lines of a slice: `count` at most, within `roomBytes`, each within `lineBytes`. */
function take(
  slice: LineSlice,
  count: number,
  roomBytes: number,
  lineBytes: number,
  seqOf = (place: number): number => slice.offset + place,
): Taken {
  const output: string[] = [];
  let bytes = 0;
  let cut = 0;
  const price = priceIn(slice);
  for (const line of slice.lines) {
    if (output.length === count) break;
    const isWhole = price(line) <= lineBytes;
    const fitted = isWhole ? line : shortLine(line, seqOf(output.length), lineBytes);
    const fittedBytes = isWhole ? price(line) : stringBytes(fitted);
    if (bytes + fittedBytes > roomBytes) break;
    bytes += fittedBytes;
    output.push(fitted);
    if (!isWhole) cut++;
  }
  return {
    output,
    offset: slice.offset,
    nextOffset: slice.offset + output.length,
    truncated: slice.truncated.filter(i => i < output.length).length,
    shortened: cut,
    bytes,
  };
}

/** The last lines of a slice, likewise. */
function takeLast(slice: LineSlice, roomBytes: number, lineBytes: number): Taken {
  const { lines, offset, truncated, isSimple } = slice;
  const last = lines.length - 1;
  const backwards = { lines: lines.map((_, i) => lines[last - i] ?? ''), offset: 0, truncated: [], isSimple };
  const seqOf = (place: number): number => offset + last - place;
  const { output, shortened: cut, bytes } = take(backwards, lines.length, roomBytes, lineBytes, seqOf);
  const from = lines.length - output.length;
  return {
    output: output.reverse(),
    offset: offset + from,
    nextOffset: offset + lines.length,
    truncated: truncated.filter(i => i >= from).length,
    shortened: cut,
    bytes,
  };
}

/** What a line of a slice costs, the cheap way where that is the same. */
function priceIn({ isSimple }: LineSlice): (line: string) => number {
  return isSimple ? line => line.length + SIMPLE_BYTES : stringBytes;
}

/** `17,` as JSON and `17: ` as text. */
function seqBytes(seq: number): number {
  return String(seq).length + 2;
}

function shortLine(line: string, seq: number, bytes: number): string {
  return shortened(
    line,
    bytes,
    leftOut => `…[+${leftOut} bytes; whole: offset ${seq}, limit 1, a larger max_bytes]`,
  );
}
