/** What parts of a reply cost, in bytes of UTF-8, and text shortened to a price. */

/** Of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

/** Beside a string that JSON writes as it is: quotes and a comma. */
export const SIMPLE_BYTES = 3;

/** What JSON writes as more than itself, or UTF-8 as more than a byte. */
const COSTLY = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

/**
 * What a string costs in a reply, where it stands as JSON and as text. JSON costs more: quotes, escapes and
 * a comma.
 */
export function stringBytes(text: string): number {
  return COSTLY.test(text) ? jsonBytes(text) + 1 : text.length + SIMPLE_BYTES;
}

/**
 * `text`, or its beginning with `mark` behind it so that both together cost at most `bytes`.
 * @param mark told how many bytes of the text it stands for
 */
export function shortened(text: string, bytes: number, mark: (leftOutBytes: number) => string): string {
  if (stringBytes(text) <= bytes) return text;
  const whole = Buffer.byteLength(text);
  const room = Math.floor(bytes) - stringBytes(mark(whole));
  // A character costs one byte at least; the binary search ends after some sixteen steps.
  let [low, high] = [0, Math.max(0, Math.min(text.length, room))];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (stringBytes(text.slice(0, middle)) - 3 <= room) low = middle;
    else high = middle - 1;
  }
  // Not between the halves of a surrogate pair.
  const kept = text.slice(0, low).replace(/[\ud800-\udbff]$/, '');
  return kept + mark(whole - Buffer.byteLength(kept));
}
