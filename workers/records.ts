import { LINE_BYTES_MAX, LineKind } from '../src/contract/ring.js';
import type { LatestMaps } from './maps.js';
import type { RingWriter } from './ring-writer.js';
import { isRuntimeMessage, RuntimeMessages } from './runtime-messages.js';

/**
 * Turns the bytes of `bpftrace -f json` into lines, map snapshots and counters.
 *
 * bpftrace writes one JSON record a line. A `printf` record is not yet a line of output: it may hold several
 * newlines or none (`printf("%d ", pid); join(args.argv)` makes one line), so text is joined and split at the
 * newlines it contains, as a terminal would show it. Only framing is looked at here; nothing is decoded.
 *
 * Not records: blank lines (0.17 and 0.23 put them before the maps), and bare text (what `iter:` programs
 * print), which is kept as it is.
 */

/** Longest record that is assembled; of a longer one the beginning is kept as a cut line. */
const RECORD_BYTES_MAX = 32 * 1024 * 1024;
/** A record this long between two lines ends the run, so that its bytes are not copied into the ring with them. */
const RUN_GAP_BYTES = 4096;

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const LETTER_N = 0x6e;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const RECORD_PREFIX = Buffer.from('{"type":');
const PRINTF_PREFIX = Buffer.from('{"type": "printf", "data": "');
const DATA_KEY = '"data": ';
const STRING_RECORD_TAIL_BYTES = 2; // `"}`
const ESCAPED_NEWLINE_BYTES = 2;

/** Records whose data is text; a join is a whole line although it does not end in a newline. */
const TEXT_TYPES = new Set(['printf', 'time', 'cat', 'join', 'syscall']);

export interface Counters {
  attachedProbes: number;
  lostEvents: number;
  /** Something that only a polling bpftrace prints has arrived, so everything is attached. */
  sawOutput: boolean;
}

export class RecordReader {
  readonly counters: Counters = { attachedProbes: -1, lostEvents: 0, sawOutput: false };
  /** Bytes of an unfinished record, in the pieces in which they came. */
  private carry: Buffer[] = [];
  private carryBytes = 0;
  /** The record was too long: its beginning has been kept, the rest is thrown away up to the next newline. */
  private skipping = false;
  /** Text of a line that no newline has ended yet, still escaped. */
  private readonly pending: Buffer[] = [];
  private pendingBytes = 0;
  private readonly messages = new RuntimeMessages();
  /** What the staged lines of the ring lie in. */
  private source: Buffer = Buffer.alloc(0);

  constructor(
    private readonly ring: RingWriter,
    private readonly maps: LatestMaps,
  ) {}

  push(chunk: Buffer): void {
    let at = 0;
    if (this.carryBytes > 0 || this.skipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) {
        this.keep(chunk);
        return;
      }
      if (!this.skipping) {
        const record = Buffer.concat([...this.carry, chunk.subarray(0, newline)]);
        this.record(record, 0, record.length);
        this.ring.commit(record);
      } else {
        this.ring.addDroppedBytes(newline);
      }
      this.skipping = false;
      this.carry = [];
      this.carryBytes = 0;
      at = newline + 1;
    }
    for (let newline = chunk.indexOf(NEWLINE, at); newline >= 0; newline = chunk.indexOf(NEWLINE, at)) {
      this.record(chunk, at, newline);
      at = newline + 1;
    }
    this.ring.commit(chunk);
    if (at < chunk.length) this.keep(Buffer.from(chunk.subarray(at)));
  }

  /** The stream has ended: what is unfinished is a line all the same. */
  end(): void {
    if (this.carryBytes > 0) {
      const record = Buffer.concat(this.carry);
      if (isTorn(record)) this.torn(record);
      else this.record(record, 0, record.length);
      this.ring.commit(record);
      this.carry = [];
      this.carryBytes = 0;
    }
    if (this.pendingBytes > 0) this.finishPending();
    for (const line of this.messages.repeats()) this.composed(Buffer.from(line, 'latin1'), LineKind.escaped);
  }

  private keep(piece: Buffer): void {
    if (this.skipping) {
      this.ring.addDroppedBytes(piece.length);
      return;
    }
    this.carry.push(piece);
    this.carryBytes += piece.length;
    if (this.carryBytes <= RECORD_BYTES_MAX) return;
    const record = Buffer.concat(this.carry);
    this.source = record;
    this.bare(record, 0, record.length);
    this.ring.commit(record);
    this.skipping = true;
    this.carry = [];
    this.carryBytes = 0;
  }

  private record(source: Buffer, start: number, end: number): void {
    if (start === end) return;
    this.source = source;
    if (startsWith(source, start, end, PRINTF_PREFIX)) {
      this.counters.sawOutput = true;
      const from = start + PRINTF_PREFIX.length;
      const to = end - STRING_RECORD_TAIL_BYTES;
      const lineEnd = to - ESCAPED_NEWLINE_BYTES;
      // The common case, one whole line: its first backslash is that of the newline at its end.
      if (
        this.pendingBytes === 0 &&
        source[lineEnd + 1] === LETTER_N &&
        nextBackslash(source, from, to) === lineEnd
      ) {
        this.beginLine();
        this.line(source, from, lineEnd, LineKind.escaped);
      } else {
        this.text(source, from, to);
      }
      return;
    }
    if (startsWith(source, start, end, RECORD_PREFIX)) this.other(source, start, end);
    else this.bare(source, start, end);
  }

  private other(source: Buffer, start: number, end: number): void {
    // The source after 0.27 leaves the blank before the type out in some records.
    const quote = start + RECORD_PREFIX.length;
    const typeStart = quote + (source[quote] === QUOTE ? 1 : 2);
    const typeEnd = source.indexOf(QUOTE, typeStart);
    const type = source.toString('latin1', typeStart, Math.min(typeEnd, end));
    if (type === 'attached_probes') {
      this.counters.attachedProbes = lastNumber(source, typeEnd, end);
      return;
    }
    if (type === 'lost_events') {
      this.counters.lostEvents += lastNumber(source, typeEnd, end);
      return;
    }
    if (isRuntimeMessage(type)) {
      this.message(type, source, start, end);
      return;
    }
    const dataKey = source.subarray(typeStart, end).indexOf(DATA_KEY);
    if (dataKey < 0) {
      this.bare(source, start, end);
      return;
    }
    const from = typeStart + dataKey + DATA_KEY.length;
    const to = end - 1;
    if (source[from] === OPEN_BRACE && source[from + 1] === QUOTE && source[from + 2] === 0x40 /* {"@ */) {
      this.map(type, source, from, to);
    } else if (source[from] === QUOTE && (TEXT_TYPES.has(type) || type === 'value')) {
      this.counters.sawOutput = true;
      this.text(source, from + 1, to - 1);
      if (type === 'join' || type === 'value') this.finishPending();
    } else if (type === 'value') {
      this.counters.sawOutput = true;
      this.value(source, from, to);
    } else {
      this.bare(source, start, end);
    }
  }

  /** A printed number, tuple or struct: a line, or the end of one that printf() began. */
  private value(source: Buffer, from: number, to: number): void {
    if (this.pendingBytes === 0) {
      this.beginLine();
      this.line(source, from, to, LineKind.json);
      return;
    }
    const body = Buffer.from(escapeJson(source.toString('latin1', from, to)), 'latin1');
    this.addPending(body, 0, body.length);
    this.finishPending();
  }

  private message(type: string, source: Buffer, start: number, end: number): void {
    this.counters.sawOutput = true;
    const line = this.messages.line(type, source.toString('latin1', start, end));
    if (line === undefined) return;
    if (this.pendingBytes > 0) this.finishPending();
    this.beginLine();
    this.composed(Buffer.from(line, 'latin1'), LineKind.escaped);
  }

  private map(type: string, source: Buffer, from: number, to: number): void {
    this.counters.sawOutput = true;
    // `printf("total: "); print(@n)`: in text output the map ends the line.
    if (this.pendingBytes > 0) this.finishPending();
    const colon = source.indexOf('": ', from);
    const name = source.toString('latin1', from + 2, colon);
    const replaced = this.maps.set(name, type, source.toString('utf8', colon + 3, to - 1));
    if (replaced) this.composed(Buffer.from(replaced), LineKind.json);
    if (to - from > RUN_GAP_BYTES) this.ring.commit(source);
  }

  /** Text between quotes: every `\n` in it ends a line, what follows the last one waits for its own. */
  private text(source: Buffer, from: number, to: number): void {
    let lineStart = from;
    for (let i = nextBackslash(source, from, to); i >= 0; i = nextBackslash(source, i + 2, to)) {
      if (source[i + 1] !== LETTER_N) continue;
      if (this.pendingBytes > 0) {
        this.addPending(source, lineStart, i);
        this.finishPending();
      } else {
        this.beginLine();
        this.line(source, lineStart, i, LineKind.escaped);
      }
      lineStart = i + ESCAPED_NEWLINE_BYTES;
    }
    if (lineStart < to) this.addPending(source, lineStart, to);
  }

  private bare(source: Buffer, start: number, end: number): void {
    if (this.pendingBytes > 0) this.finishPending();
    this.beginLine();
    this.line(source, start, end, LineKind.raw);
  }

  /** What a bpftrace that was killed in the middle of writing left: it replaces no map, and is shown as it came. */
  private torn(source: Buffer): void {
    if (this.pendingBytes > 0) this.finishPending();
    this.beginLine();
    const kept = Math.min(source.length, LINE_BYTES_MAX);
    this.ring.stage(0, kept, LineKind.raw, true);
    this.ring.addDroppedBytes(source.length - kept);
  }

  private line(source: Buffer, from: number, to: number, kind: LineKind): void {
    const length = to - from;
    if (length <= LINE_BYTES_MAX) {
      this.ring.stage(from, length, kind);
    } else {
      this.ring.stage(from, LINE_BYTES_MAX, kind, true);
      this.ring.addDroppedBytes(length - LINE_BYTES_MAX);
      this.ring.commit(source);
    }
  }

  /** A line begins: snapshots that the program printed before it take their place in front of it. */
  private beginLine(): void {
    if (!this.maps.holds) return;
    for (const earlier of this.maps.takeHeld()) this.composed(Buffer.from(earlier), LineKind.json);
  }

  private addPending(source: Buffer, from: number, to: number): void {
    const room = LINE_BYTES_MAX + 1 - this.pendingBytes;
    const kept = Math.min(to, from + Math.max(0, room));
    if (kept > from) this.pending.push(Buffer.from(source.subarray(from, kept)));
    this.pendingBytes += kept - from;
    this.ring.addDroppedBytes(to - kept);
  }

  private finishPending(): void {
    this.ring.commit(this.source);
    this.beginLine();
    const joined = Buffer.concat(this.pending);
    this.pending.length = 0;
    this.pendingBytes = 0;
    this.line(joined, 0, joined.length, LineKind.escaped);
    this.ring.commit(joined);
  }

  /** A line of bytes of its own, which no source holds. */
  private composed(bytes: Buffer, kind: LineKind): void {
    this.ring.commit(this.source);
    this.line(bytes, 0, bytes.length, kind);
    this.ring.commit(bytes);
  }
}

function startsWith(source: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (source[start + i] !== prefix[i]) return false;
  return true;
}

/** Whether a record lacks its end: its braces, outside strings, do not close. */
function isTorn(record: Buffer): boolean {
  if (!startsWith(record, 0, record.length, RECORD_PREFIX)) return false;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const byte = record[i];
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN_BRACE) depth++;
    else if (byte === CLOSE_BRACE) depth--;
  }
  return quoted || depth !== 0;
}

/** Bounded, since `indexOf` would search the rest of the chunk for each record that has none. */
function nextBackslash(source: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i++) if (source[i] === BACKSLASH) return i;
  return -1;
}

/** The number in `"data": {"probes": 3}}` or (source after 0.27) `"count":3}`; 0 when there is none. */
function lastNumber(source: Buffer, from: number, to: number): number {
  return Number(/(\d+)\D*$/.exec(source.toString('latin1', from, to))?.[1] ?? 0);
}

/** JSON text as the body of a JSON string; what stands for a byte outside ASCII (`\uffffffc3`) goes on doing so. */
function escapeJson(json: string): string {
  return json.replace(/\\uffffff[0-9a-f]{2}|["\\]/g, found => (found.length > 1 ? found : `\\${found}`));
}
