import { copyOut, HEAD, type LineKind, type RingViews, TAIL, unpack } from '../contract/ring.js';
import { decodeLines } from './decode.js';

export interface LineSlice {
  lines: string[];
  /** Sequence number of the first line given; above the one asked for when that had been overwritten. */
  offset: number;
  /** Which of `lines` were cut because they were too long, by index. */
  truncated: number[];
  /** JSON writes every line as it is, between quotes. */
  isSimple: boolean;
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
  if (first >= last)
    return { lines: [], offset: Math.max(from, Math.min(first, head)), truncated: [], isSimple: true };

  const entries: { start: number; lengthBytes: number; kind: LineKind; truncated: boolean }[] = [];
  let total = 0;
  for (let seq = first; seq < last && (total < rawBytes || seq === first); seq++) {
    const slot = (seq % ring.capacityLines) * 2;
    const { lengthBytes, kind, truncated } = unpack(ring.index[slot + 1] ?? 0);
    // An entry that is being overwritten may name any place: it will be thrown away, but must not be followed.
    const bounded = Math.min(lengthBytes, ring.capacityBytes);
    const start = Math.min(ring.index[slot] ?? 0, ring.capacityBytes);
    entries.push({ start, lengthBytes: bounded, kind, truncated });
    total += bounded;
  }
  const bytes = copyRuns(ring, entries, total);
  const safeFrom = Number(Atomics.add(ring.counters, TAIL, 0n));
  const overtaken = Math.min(entries.length, Math.max(0, safeFrom - first));
  const skipped = entries.slice(0, overtaken).reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const whole = entries.slice(overtaken);
  return {
    ...decodeLines(bytes.subarray(skipped), whole),
    offset: first + overtaken,
    truncated: whole.flatMap((line, i) => (line.truncated ? [i] : [])),
  };
}

/** The bytes of lines one behind the other. Lines mostly follow one another in the ring, too: then they are one copy. */
function copyRuns(
  ring: RingViews,
  entries: readonly { start: number; lengthBytes: number }[],
  totalBytes: number,
): Buffer {
  const target = Buffer.allocUnsafe(totalBytes);
  let at = 0;
  let start = entries[0]?.start ?? 0;
  let runBytes = 0;
  for (const entry of entries) {
    if (
      entry.start !== (start + runBytes) % ring.capacityBytes ||
      runBytes + entry.lengthBytes > ring.capacityBytes
    ) {
      copyOut(ring, start, runBytes, target, at);
      at += runBytes;
      start = entry.start;
      runBytes = 0;
    }
    runBytes += entry.lengthBytes;
  }
  copyOut(ring, start, runBytes, target, at);
  return target;
}
