import { LINE_BYTES_MAX, LineKind } from '../src/contract/ring.js';
import type { LatestMaps } from './map/latest-maps.js';
import { type Marks, stagePrintfRun } from './printf-run.js';
import type { RingWriter } from './ring-writer.js';

/**
 * Makes lines of what records hold and hands them to the ring.
 *
 * A record is not yet a line of output: it may hold several newlines or none (`printf("%d ", pid);
 * join(args.argv)` makes one line), so text is joined and split at the newlines it contains, as a terminal
 * would show it. A whole line is only staged, where it lies in the source; what had to be joined or made up is
 * a source of its own. Nothing is decoded.
 */

const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;
const ESCAPED_NEWLINE_BYTES = 2;

export class LineAssembler {
  /** Text of a line that no newline has ended yet, still escaped. */
  private readonly open: Buffer[] = [];
  private openBytes = 0;
  /** What the staged lines of the ring lie in. */
  private source: Buffer = Buffer.alloc(0);

  constructor(
    private readonly ring: RingWriter,
    private readonly maps: LatestMaps,
  ) {}

  /** What the positions of the following calls are positions of; everything before has been committed. */
  over(source: Buffer): void {
    this.source = source;
  }

  /** Hands what has been staged to the ring. */
  commit(): void {
    this.ring.commit(this.source);
  }

  /** Stages a run of printf records in the source, see {@link stagePrintfRun}; where it ended. */
  printfRun(view: DataView, at: number, marks: Marks): number {
    return this.openBytes > 0 || this.maps.holds ? at : stagePrintfRun(view, at, this.ring, marks);
  }

  /** The body of a JSON string: every `\n` in it ends a line, what follows the last one waits for its own. */
  text(from: number, to: number): void {
    const { source } = this;
    let lineStart = from;
    for (let i = nextBackslash(source, from, to); i >= 0; i = nextBackslash(source, i + 2, to)) {
      if (source[i + 1] !== LETTER_N) continue;
      if (this.openBytes > 0) {
        this.addOpen(source, lineStart, i);
        this.endLine();
      } else {
        this.stage(lineStart, i, LineKind.escaped);
      }
      lineStart = i + ESCAPED_NEWLINE_BYTES;
    }
    if (lineStart < to) this.addOpen(source, lineStart, to);
  }

  /** A JSON value that was printed: a line, or the end of one that text began. */
  value(from: number, to: number): void {
    if (this.openBytes === 0) {
      this.stage(from, to, LineKind.json);
      return;
    }
    const body = Buffer.from(escapeJson(this.source.toString('latin1', from, to)), 'latin1');
    this.addOpen(body, 0, body.length);
    this.endLine();
  }

  /** Bytes that are no record: a line of their own. */
  bare(from: number, to: number): void {
    this.closeOpen();
    this.stage(from, to, LineKind.raw);
  }

  /** What a bpftrace that was killed in the middle of writing left: a line that is marked as cut. */
  torn(from: number, to: number): void {
    this.closeOpen();
    this.beginLine();
    const length = Math.min(to - from, LINE_BYTES_MAX);
    this.ring.stage(from, length, LineKind.raw, true);
    this.ring.addDroppedBytes(to - from - length);
  }

  /** Bytes of the stream that go nowhere. */
  drop(bytes: number): void {
    this.ring.addDroppedBytes(bytes);
  }

  /** A line that stands in no source. */
  made(text: Buffer, kind: LineKind): void {
    this.closeOpen();
    this.beginLine();
    this.insert(text, kind);
  }

  /** The same, but snapshots that are held stay held. */
  insert(text: Buffer, kind: LineKind): void {
    this.commit();
    this.append(text, kind);
  }

  /** Ends the line that text has begun, an empty one if none has. */
  endLine(): void {
    this.commit();
    this.beginLine();
    const joined = Buffer.concat(this.open);
    this.open.length = 0;
    this.openBytes = 0;
    this.append(joined, LineKind.escaped);
  }

  /** Ends the line that text has begun, if any. */
  closeOpen(): void {
    if (this.openBytes > 0) this.endLine();
  }

  /** A line begins: snapshots that the program printed before it take their place in front of it. */
  private beginLine(): void {
    if (!this.maps.holds) return;
    this.commit();
    for (const earlier of this.maps.takeHeld()) this.append(Buffer.from(earlier, 'latin1'), LineKind.json);
  }

  private stage(from: number, to: number, kind: LineKind): void {
    this.beginLine();
    const length = to - from;
    if (length <= LINE_BYTES_MAX) {
      this.ring.stage(from, length, kind);
    } else {
      this.ring.stage(from, LINE_BYTES_MAX, kind, true);
      this.ring.addDroppedBytes(length - LINE_BYTES_MAX);
      this.commit();
    }
  }

  /** Nothing of the source may be staged. */
  private append(text: Buffer, kind: LineKind): void {
    const length = Math.min(text.length, LINE_BYTES_MAX);
    this.ring.stage(0, length, kind, length < text.length);
    this.ring.addDroppedBytes(text.length - length);
    this.ring.commit(text);
  }

  private addOpen(source: Buffer, from: number, to: number): void {
    const room = LINE_BYTES_MAX + 1 - this.openBytes;
    const kept = Math.min(to, from + Math.max(0, room));
    if (kept > from) this.open.push(Buffer.from(source.subarray(from, kept)));
    this.openBytes += kept - from;
    this.ring.addDroppedBytes(to - kept);
  }
}

/** Bounded, since `indexOf` would search the rest of the chunk for each record that has none. */
function nextBackslash(source: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i++) if (source[i] === BACKSLASH) return i;
  return -1;
}

/** JSON text as the body of a JSON string; what stands for a byte outside ASCII (`\uffffffc3`) goes on doing so. */
function escapeJson(json: string): string {
  return json.replace(/\\uffffff[0-9a-f]{2}|["\\]/g, found => (found.length > 1 ? found : `\\${found}`));
}
