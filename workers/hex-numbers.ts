/**
 * Undoes what 0.27 does to numbers behind a text with a character that JSON has as `\u…` (a control character, or a
 * byte outside ASCII): it leaves its stream in hexadecimal for good, so that what is written past its own care for
 * numbers comes as `14` or `1f` from there on. That is counts of hist() and lhist(), values of tseries() and numbers
 * of lost events. Nothing in such a number tells which it is, so every byte of the stream counts: each is looked at
 * once, up to the first such text.
 *
 * A bpftrace that does it tells of attached probes with a `count`, before anything else.
 */

const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const ESCAPE = Buffer.from('\\u');
const RECORD_PREFIX = Buffer.from('{"type":');
/** In strings each backslash takes the next character with it, so a number is met only outside of them. */
const NUMBERS: Readonly<Record<string, RegExp>> = {
  hist: /\\.|(?<="count": )[0-9a-f]+(?=\})/gs,
  tseries: /\\.|(?<="value": ?)[0-9a-f]+(?=\})/gs,
};

export class HexNumbers {
  /** This bpftrace does it. */
  private expected = false;
  /** It has begun. */
  private begun = false;

  /** What it says of attached probes. */
  attached(data: string): void {
    this.expected ||= data.includes('"count":');
  }

  /** @param inRecord the bytes belong to a record that has begun before */
  see(source: Buffer, from: number, to: number, inRecord = false): void {
    if (!this.expected || this.begun) return;
    // An escape may begin at the last byte. Looking on to the source's end would be done again for each record.
    const seen = source.subarray(0, to + ESCAPE.length - 1);
    for (let at = from; !this.begun; at += ESCAPE.length) {
      at = seen.indexOf(ESCAPE, at);
      if (at < 0) return;
      this.begun = !isEscaped(source, at) && (inRecord || isInRecord(source, at));
    }
  }

  /** The number at the end of a record, what is in front of which was seen; 0 when there is none. */
  lastNumber(record: string): number {
    const [, digits = ''] = (this.begun ? /([0-9a-f]+)\W*$/ : /(\d+)\D*$/).exec(record) ?? [];
    return Number.parseInt(digits, this.begun ? 16 : 10) || 0;
  }

  /** The JSON of a map with its numbers in decimal. @param before what is in front of it was seen */
  decimal(type: string, json: string): string {
    const numbers = NUMBERS[type];
    if (!numbers || !this.expected || (!this.begun && !json.includes('\\u'))) return json;
    let isHex = this.begun;
    return json.replace(numbers, found => {
      if (found[0] === '\\') {
        isHex ||= found[1] === 'u';
        return found;
      }
      return isHex ? String(BigInt.asIntN(64, BigInt(`0x${found}`))) : found;
    });
  }
}

/** The backslash at `at` is a character of the text. */
function isEscaped(source: Buffer, at: number): boolean {
  let before = at;
  while (before > 0 && source[before - 1] === BACKSLASH) before--;
  return (at - before) % 2 === 1;
}

/** Bare text, as `iter:` programs print it, may read like an escape. */
function isInRecord(source: Buffer, at: number): boolean {
  const start = source.lastIndexOf(NEWLINE, at) + 1;
  return RECORD_PREFIX.equals(source.subarray(start, start + RECORD_PREFIX.length));
}
