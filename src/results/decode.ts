import { LineKind } from '../contract/ring.js';

/**
 * Undoes what bpftrace's JSON does to text and numbers.
 *
 * Text: a byte outside ASCII comes out sign-extended, `é` as `\uffffffc3\uffffffa9` (0.17 to 0.27). A control
 * character is at most `\u001f`, so nothing else begins with `\uffffff`, and the repair is certain. Bytes that
 * are not UTF-8 are shown as `\xc3`, so that nothing is lost.
 *
 * Numbers: 0.17 and 0.23 write integers of 64 bits as bare digits, which a double rounds above 2^53. They
 * become strings of the same digits.
 *
 * Keys: two of one map may read alike, since bpftrace tells stacks and symbols apart by process and address and
 * then prints neither; the second one becomes `key #2`. 0.22 and 0.23 escape keys twice.
 */
const ESCAPES = /((?:\\uffffff[0-9a-f]{2})+)|\\u(00[0-9a-f]{2})|\\([^u])/gi;
const SHORT_ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a line, from its bytes. */
export function decodeLine(bytes: Uint8Array, kind: LineKind): string {
  const text = decodeBytes(bytes);
  if (kind === LineKind.escaped) return decodeEscapes(text);
  if (kind === LineKind.json) return repairJson(text);
  return text;
}

/** The body of a JSON string of bpftrace's; a backslash sequence that is none (a line cut in the middle) stays as it is. */
export function decodeEscapes(body: string): string {
  if (!body.includes('\\')) return body;
  return body.replace(ESCAPES, (_whole, damaged?: string, code?: string, letter?: string) => {
    if (damaged !== undefined) return decodeBytes(damagedBytes(damaged));
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return SHORT_ESCAPES[letter ?? ''] ?? letter ?? '';
  });
}

/** Bytes as text; where they are not UTF-8, the offending bytes as `\xNN`. */
export function decodeBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeInvalid(bytes);
  }
}

function decodeInvalid(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = validSequenceLength(bytes, at);
    text +=
      length > 0
        ? utf8.decode(bytes.subarray(at, at + length))
        : `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
    at += Math.max(1, length);
  }
  return text;
}

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function validSequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > bytes.length) return 0;
  try {
    utf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

function damagedBytes(escapes: string): Uint8Array {
  const bytes = new Uint8Array(escapes.length / 10);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(escapes.slice(i * 10 + 8, i * 10 + 10), 16);
  return bytes;
}

/** bpftrace's JSON text with its damaged strings repaired: valid JSON again, or the text as it was. */
export function repairJson(text: string): string {
  return text.replace(ESCAPES, (whole, damaged?: string) =>
    damaged === undefined ? whole : JSON.stringify(decodeBytes(damagedBytes(damaged))).slice(1, -1),
  );
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(?=(\s*:)?)|[[\]{}]|-?\d{16,}(?![\d.eE])/gs;
/** In a key, the frames of a stack or a byte outside ASCII, escaped once more. Nothing else looks like it. */
const ESCAPED_TWICE = /(?<!\\)\\\\(?:n(?: {4}|\\\\t)|uffffff[0-9a-f]{2})/;
/** A string, or what stands between the strings, brackets and commas. */
const STRING_OR_WORD = /"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[^\s"{}[\],][^"{}[\],]*/gs;
const JSON_WORD = /^(?:-?\d+(?:\.\d+)?|true|false|null)$/;

/**
 * Parses bpftrace's JSON; integers that a double can't hold come back as strings of their digits.
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  const keys = new Map<string, number>();
  let depth = 0;
  const exact = text.replace(TOKEN, (token, colon?: string) => {
    if (token[0] === '"') return colon !== undefined && depth === 1 ? uniqueKey(token, keys) : token;
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (!Number.isSafeInteger(Number(token))) return `"${token}"`;
    return token;
  });
  const repaired = repairJson(exact);
  try {
    return JSON.parse(repaired);
  } catch {
    return JSON.parse(quoteWords(repaired));
  }
}

function uniqueKey(token: string, keys: Map<string, number>): string {
  const body = token.slice(1, -1);
  const key = ESCAPED_TWICE.test(body) ? body.replace(/\\(["\\])/g, '$1') : body;
  const count = (keys.get(key) ?? 0) + 1;
  keys.set(key, count);
  return count === 1 ? `"${key}"` : uniqueKey(`"${key} #${count}"`, keys);
}

/** 0.17 writes times of day, MAC addresses, error names and pointers without quotes. */
function quoteWords(text: string): string {
  return text.replace(STRING_OR_WORD, word =>
    word[0] === '"' || JSON_WORD.test(word.trim()) ? word : JSON.stringify(word),
  );
}
