import { LineKind } from '../contract/ring.js';
import { decodeEscapes, decodeExactly, repairJson } from '../contract/text.js';
import { visible, withoutLive } from '../contract/visible.js';

/** Printable ASCII without a backslash, and tabs: it is shown as it is, whatever kind of line it is. */
const PLAIN = /^[\t\x20-\x5b\x5d-\x7e]*$/;

/** In JSON, too, but for the quotes around it. */
const SIMPLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Of one line: how many bytes, and what they are. */
export interface LineEntry {
  lengthBytes: number;
  kind: LineKind;
}

/**
 * The texts of lines whose bytes stand one behind the other. Nearly all lines are plain, and decoding each by
 * itself would cost more than everything else that is done for a reader: plain ones are cut out of one string.
 * @returns the texts, and whether JSON writes every one of them as it is
 */
export function decodeLines(
  bytes: Buffer,
  entries: readonly LineEntry[],
): { lines: string[]; isSimple: boolean } {
  const text = bytes.toString('latin1');
  const isSimple = SIMPLE.test(text);
  let at = 0;
  const lines = entries.map(({ lengthBytes, kind }) => {
    const from = at;
    at += lengthBytes;
    const line = text.slice(from, at);
    return isSimple || PLAIN.test(line) ? line : decodeLine(bytes.subarray(from, at), kind);
  });
  return { lines, isSimple };
}

/** The text of a line, from its bytes, so that it can be shown to anybody. */
export function decodeLine(bytes: Uint8Array, kind: LineKind): string {
  if (kind === LineKind.json) return withoutLive(repairJson(decodeExactly(bytes)));
  const text = decodeExactly(bytes);
  return visible(kind === LineKind.escaped ? decodeEscapes(text) : text);
}
