import { LineKind } from '../src/contract/ring.js';
import { HexNumbers } from './hex-numbers.js';
import type { LineAssembler } from './lines.js';
import type { LatestMaps } from './map/latest-maps.js';
import { isRuntimeMessage, type RuntimeMessages } from './runtime-messages.js';
import { type PrintedMap, SnapshotReader } from './snapshot-reader.js';

/**
 * Tells the records in the bytes of `bpftrace -f json` apart: text for the lines, snapshots for the maps,
 * counters. bpftrace writes one JSON record a line; only its framing is looked at here.
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
const AT = 0x40;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const RECORD_PREFIX = Buffer.from('{"type":');
const PRINTF_PREFIX = Buffer.from('{"type": "printf", "data": "');
const DATA_KEY = '"data": ';
const MAP_NAME = /^@\w*$/;
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
  private readonly numbers = new HexNumbers();
  /** Up to here `numbers` has seen what is being read. */
  private seenTo = 0;

  constructor(
    private readonly lines: LineAssembler,
    private readonly maps: LatestMaps,
    private readonly messages: RuntimeMessages,
    private readonly snapshots = new SnapshotReader(undefined),
  ) {
    snapshots.programMap = map => this.programMap(map);
  }

  /** Nothing of `chunk` is kept: its bytes may be others afterwards. */
  push(chunk: Buffer): void {
    let at = 0;
    if (this.carryBytes > 0 || this.skipping) {
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) {
        this.keep(Buffer.from(chunk));
        return;
      }
      if (this.skipping) {
        this.dropped(chunk.subarray(0, newline));
        this.skipping = false;
      } else {
        this.carry.push(chunk.subarray(0, newline));
        this.alone(this.takeCarry());
      }
      at = newline + 1;
    }
    this.lines.over(chunk);
    this.seenTo = at;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (;;) {
      at = this.printfRun(view, at);
      const newline = chunk.indexOf(NEWLINE, at);
      if (newline < 0) break;
      this.record(chunk, at, newline);
      at = newline + 1;
    }
    this.seeTo(chunk, at);
    this.lines.commit();
    if (at < chunk.length) this.keep(Buffer.from(chunk.subarray(at)));
  }

  /** The stream has ended: what is unfinished is a line all the same. */
  end(): void {
    if (this.carryBytes > 0) {
      const record = this.takeCarry();
      if (isTorn(record)) {
        this.lines.over(record);
        this.lines.torn(0, record.length);
        this.lines.commit();
      } else {
        this.alone(record);
      }
    }
    this.lines.closeOpen();
    for (const line of this.messages.repeats())
      this.lines.insert(Buffer.from(line, 'latin1'), LineKind.escaped);
  }

  /** A record that is a source of its own. */
  private alone(record: Buffer): void {
    this.lines.over(record);
    this.seenTo = 0;
    this.record(record, 0, record.length);
    this.seeTo(record, record.length);
    this.lines.commit();
  }

  private seeTo(source: Buffer, to: number): void {
    this.numbers.see(source, this.seenTo, to);
    this.seenTo = to;
  }

  private keep(piece: Buffer): void {
    if (this.skipping) {
      this.dropped(piece);
      return;
    }
    this.carry.push(piece);
    this.carryBytes += piece.length;
    if (this.carryBytes <= RECORD_BYTES_MAX) return;
    const record = this.takeCarry();
    this.lines.over(record);
    this.numbers.see(record, 0, record.length);
    this.lines.bare(0, record.length);
    this.lines.commit();
    this.skipping = true;
  }

  /** Of a record that was too long. */
  private dropped(piece: Buffer): void {
    this.numbers.see(piece, 0, piece.length, true);
    this.lines.drop(piece.length);
  }

  private takeCarry(): Buffer {
    const record = Buffer.concat(this.carry);
    this.carry = [];
    this.carryBytes = 0;
    return record;
  }

  /** Takes the printf records that begin at `at`, as long as they are a line each; where the next record begins. */
  private printfRun(view: DataView, at: number): number {
    if (this.snapshots.isOpen) return at;
    const next = this.lines.printfRun(view, at, this.snapshots);
    if (next > at) this.counters.sawOutput = true;
    return next;
  }

  private record(source: Buffer, start: number, end: number): void {
    if (start === end) {
      this.snapshots.blank();
      return;
    }
    if (startsWith(source, start, end, PRINTF_PREFIX)) {
      this.counters.sawOutput = true;
      if (this.isMark(source, start + PRINTF_PREFIX.length, end - STRING_RECORD_TAIL_BYTES)) return;
      this.snapshots.other();
      this.lines.text(start + PRINTF_PREFIX.length, end - STRING_RECORD_TAIL_BYTES);
    } else if (startsWith(source, start, end, RECORD_PREFIX)) {
      this.other(source, start, end);
    } else {
      this.snapshots.other();
      this.lines.bare(start, end);
    }
  }

  private other(source: Buffer, start: number, end: number): void {
    // The source after 0.27 leaves the blank before the type out in some records.
    const quote = start + RECORD_PREFIX.length;
    const typeStart = quote + (source[quote] === QUOTE ? 1 : 2);
    const typeEnd = source.indexOf(QUOTE, typeStart);
    const type = source.toString('latin1', typeStart, Math.min(typeEnd, end));
    if (type === 'attached_probes') {
      this.counters.attachedProbes = lastNumber(source, typeEnd, end);
      this.numbers.attached(source.toString('latin1', typeEnd, end));
    } else if (type === 'lost_events') {
      this.snapshots.other();
      this.seeTo(source, end);
      this.counters.lostEvents += this.numbers.lastNumber(source.toString('latin1', typeEnd, end));
    } else if (isRuntimeMessage(type)) {
      this.snapshots.other();
      this.counters.sawOutput = true;
      const line = this.messages.line(type, source.toString('latin1', start, end));
      if (line !== undefined) this.lines.made(Buffer.from(line, 'latin1'), LineKind.escaped);
    } else {
      const dataKey = source.subarray(typeStart, end).indexOf(DATA_KEY);
      const from = typeStart + dataKey + DATA_KEY.length;
      if (dataKey < 0 || !this.data(type, source, from, end - 1)) this.lines.bare(start, end);
    }
  }

  /** False for data of a kind that is not known. */
  private data(type: string, source: Buffer, from: number, to: number): boolean {
    if (source[from] === OPEN_BRACE && source[from + 1] === QUOTE && source[from + 2] === AT) {
      const isMap = this.map(type, source, from, to);
      this.counters.sawOutput ||= isMap;
      return isMap;
    }
    this.snapshots.other();
    if (source[from] === QUOTE && (TEXT_TYPES.has(type) || type === 'value')) {
      this.lines.text(from + 1, to - 1);
      if (type === 'join' || type === 'value') this.lines.endLine();
    } else if (type === 'value') {
      this.lines.value(from, to);
    } else {
      return false;
    }
    this.counters.sawOutput = true;
    return true;
  }

  /** False where what begins like a map is none (bytes that were damaged on their way). */
  private map(type: string, source: Buffer, from: number, to: number): boolean {
    const colon = source.indexOf('": ', from);
    const name = source.toString('latin1', from + 2, Math.min(colon, to));
    if (colon < 0 || colon >= to || !MAP_NAME.test(name)) return false;
    this.seeTo(source, from);
    const json = this.numbers.decimal(type, source.toString('latin1', colon + 3, to - 1));
    const map = { name, type, json };
    if (!this.snapshots.map(map)) this.programMap(map);
    if (to - from > RUN_GAP_BYTES) this.lines.commit();
    return true;
  }

  private programMap({ name, type, json }: PrintedMap): void {
    // `printf("total: "); print(@n)`: in text output the map ends the line.
    this.lines.closeOpen();
    const replaced = this.maps.set(name, type, json);
    if (replaced) this.lines.insert(Buffer.from(replaced, 'latin1'), LineKind.json);
  }

  /** The body of a printf: whether it is a mark of ours and the newline behind it. */
  private isMark(source: Buffer, from: number, to: number): boolean {
    const end = to - ESCAPED_NEWLINE_BYTES;
    return (
      end - from === this.snapshots.markBytes && this.snapshots.mark(source.toString('latin1', from, end))
    );
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

/** The number in `"data": {"probes": 3}}` or (source after 0.27) `"count":3}`; 0 when there is none. */
function lastNumber(source: Buffer, from: number, to: number): number {
  return Number(/(\d+)\D*$/.exec(source.toString('latin1', from, to))?.[1] ?? 0);
}
