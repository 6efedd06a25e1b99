import { copyOut, HEAD, type RingViews, TAIL, unpack } from '../contract/ring.js';
import { decodeLine } from './decode.js';

export interface LineSlice {
  lines: string[];
  /** Sequence number of the first line given; above the one asked for when that had been overwritten. */
  offset: number;
  /** Which of `lines` were cut because they were too long, by index. */
  truncated: number[];
}

/** Lines ever written. */
export function linesTotal(ring: RingViews): number {
  return Number(Atomics.load(ring.counters, HEAD));
}

/** Lines overwritten: the sequence number of the oldest line that is still there. */
export function linesDropped(ring: RingViews): number {
  return Number(Atomics.load(ring.counters, TAIL));
}

/**
 * At most `limit` lines from sequence number `from` on, and no more once they have `rawBytes` bytes as they
 * were printed. Never torn: what the writer overtook while it was being copied is left out, and `offset` says
 * where the answer begins instead.
 */
export function readLines(
  ring: RingViews,
  from: number,
  limit: number,
  rawBytes = Number.POSITIVE_INFINITY,
): LineSlice {
  const head = linesTotal(ring);
  const first = Math.max(from, linesDropped(ring));
  const last = Math.min(head, first + limit);
  if (first >= last) return { lines: [], offset: Math.max(from, Math.min(first, head)), truncated: [] };

  const copies: { bytes: Uint8Array; word: number }[] = [];
  let left = rawBytes;
  for (let seq = first; seq < last && (left > 0 || seq === first); seq++) {
    const slot = (seq % ring.capacityLines) * 2;
    const word = ring.index[slot + 1] ?? 0;
    // An entry that is being overwritten may name any length: it will be thrown away, but must not be followed.
    const lengthBytes = Math.min(unpack(word).lengthBytes, ring.capacityBytes);
    const start = Math.min(ring.index[slot] ?? 0, ring.capacityBytes);
    const bytes = new Uint8Array(lengthBytes);
    copyOut(ring, start, lengthBytes, bytes, 0);
    copies.push({ bytes, word });
    left -= lengthBytes;
  }
  const safeFrom = Number(Atomics.add(ring.counters, TAIL, 0n));
  const overtaken = Math.min(copies.length, Math.max(0, safeFrom - first));
  const whole = copies.slice(overtaken).map(({ bytes, word }) => ({ ...unpack(word), bytes }));
  return {
    lines: whole.map(line => decodeLine(line.bytes, line.kind)),
    offset: first + overtaken,
    truncated: whole.flatMap((line, i) => (line.truncated ? [i] : [])),
  };
}
