import { LINE_BYTES_MAX } from '../src/contract/ring.js';
import type { RingWriter } from './ring-writer.js';

/**
 * What a flood is made of: printf records of one line each, one after another. They are staged in one scan of
 * their bytes, eight a step, with no call and no object for a line. Whatever looks different in any way ends the
 * run, and is left to who reads records one by one.
 */
const PREFIX = Buffer.from('{"type": "printf", "data": "');
const [P0 = 0, P1 = 0, P2 = 0, P3 = 0, P4 = 0, P5 = 0, P6 = 0] = Array.from(
  { length: PREFIX.length / 4 },
  (_, i) => PREFIX.readInt32LE(4 * i),
);
/** `\n"}`, and then the end of the line. */
const LINE_END = Buffer.from('\\n"}').readInt32LE(0);
const RECORD_END_BYTES = 5;
const STEP_BYTES = 8;

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const LETTER_N = 0x6e;
const BACKSLASHES = 0x5c5c5c5c;
const SPACES = 0x20202020;
const ONES = 0x01010101;
/**
 * Of four bytes at once. `(x ^ BACKSLASHES) - ONES` has the high bit of a byte that was a backslash, `x - SPACES` that
 * of one below the space, such as a newline; what is above ASCII has it itself, and is no text that JSON holds. What is
 * found so may be a byte too early for one of those, never too late: bytes are looked at one by one from there.
 */
const HIGHS = 0x80808080;

/** Lines of this length that begin with this byte may be something else; length -1: none. */
export interface Marks {
  markBytes: number;
  markByte: number;
}

/**
 * Stages the lines of the records that begin at `at`.
 * @returns where the first record begins that is none of them
 */
export function stagePrintfRun(view: DataView, at: number, ring: RingWriter, marks: Marks): number {
  const { staging } = ring;
  const { markBytes, markByte } = marks;
  const end = view.byteLength;
  const recordsEnd = end - PREFIX.length - RECORD_END_BYTES;
  const stepsEnd = end - STEP_BYTES;
  const textEnd = end - RECORD_END_BYTES;
  let slot = ring.stagingSlot;
  let count = 0;
  while (
    at <= recordsEnd &&
    view.getInt32(at, true) === P0 &&
    view.getInt32(at + 4, true) === P1 &&
    view.getInt32(at + 8, true) === P2 &&
    view.getInt32(at + 12, true) === P3 &&
    view.getInt32(at + 16, true) === P4 &&
    view.getInt32(at + 20, true) === P5 &&
    view.getInt32(at + 24, true) === P6
  ) {
    const from = at + PREFIX.length;
    let to = from;
    for (;;) {
      while (to <= stepsEnd) {
        const low = view.getInt32(to, true);
        const high = view.getInt32(to + 4, true);
        const found =
          ((low ^ BACKSLASHES) - ONES) |
          (low - SPACES) |
          low |
          ((high ^ BACKSLASHES) - ONES) |
          (high - SPACES) |
          high;
        if ((found & HIGHS) !== 0) break;
        to += STEP_BYTES;
      }
      while (to < textEnd && view.getUint8(to) !== BACKSLASH && view.getUint8(to) !== NEWLINE) to++;
      if (to >= textEnd || view.getUint8(to) !== BACKSLASH || view.getUint8(to + 1) === LETTER_N) break;
      to += 2; // Another character that JSON escapes.
    }
    const length = to - from;
    if (to > textEnd || view.getInt32(to, true) !== LINE_END || view.getUint8(to + 4) !== NEWLINE) break;
    if (length > LINE_BYTES_MAX || (length === markBytes && view.getUint8(from) === markByte)) break;
    staging[slot] = from;
    staging[slot + 1] = length; // Packed, escaped text is its length.
    slot += 2;
    if (slot === staging.length) slot = 0;
    count++;
    at = to + RECORD_END_BYTES;
  }
  ring.stagedInPlace(count);
  return at;
}
