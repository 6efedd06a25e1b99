/**
 * What was traced is shown so that it can do nothing to who reads it: characters that move a cursor, change the
 * direction of text or can't be seen stand as `\u202e` or `\u{e0041}`. Nothing is lost: backslashes before such an
 * escape, and before what only reads like one, are doubled; all others stay as they are. {@link revealed} undoes it.
 *
 * A tab stays. Bytes that are no UTF-8 come as the lone surrogates U+DC80 to U+DCFF, which no UTF-8 holds, and
 * stand as `\xff`; what reads like a byte below 80 is none (`buf()` prints such), and stays.
 */
const LIVE_CLASS = '\\u0000-\\u0008\\u000a-\\u001f\\u007f-\\u009f\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}';
const LIVE = new RegExp(`[${LIVE_CLASS}]`, 'gu');
/** Each run of backslashes is taken whole, so that a line of nothing else costs no more than others. */
const CODE = 'u[0-9a-f]{4}|u\\{[0-9a-f]+\\}|x[89a-f][0-9a-f]';
const MEANT = new RegExp(`(\\\\+)([${LIVE_CLASS}]|${CODE})?|[${LIVE_CLASS}]`, 'gu');
const SHOWN = /(\\+)(?:u([0-9a-f]{4})|u\{([0-9a-f]+)\}|x([89a-f][0-9a-f]))/g;
const ODD_BYTES = 0xdc00;

/** As above. */
export function visible(text: string): string {
  return text.replace(MEANT, (found, slashes?: string, next?: string) => {
    if (slashes === undefined) return escaped(found);
    if (next === undefined) return found;
    return slashes + slashes + (/^[ux]/.test(next) ? next : escaped(next));
  });
}

/** What {@link visible} was given. */
export function revealed(text: string): string {
  return text.replace(SHOWN, (whole, slashes: string, four?: string, many?: string, byte?: string) => {
    const kept = '\\'.repeat(Math.floor(slashes.length / 2));
    if (slashes.length % 2 === 0) return kept + whole.slice(slashes.length);
    if (byte !== undefined) return kept + String.fromCharCode(ODD_BYTES + Number.parseInt(byte, 16));
    return kept + String.fromCodePoint(Number.parseInt(four ?? many ?? '', 16));
  });
}

/** The bytes that were traced, of a text that {@link visible} has shown. */
export function revealedBytes(shown: string): Uint8Array {
  const parts = revealed(shown).split(/((?<![\ud800-\udbff])[\udc80-\udcff])/);
  return Buffer.concat(
    parts.map((part, i) => (i % 2 === 1 ? Buffer.of(part.charCodeAt(0) - ODD_BYTES) : Buffer.from(part))),
  );
}

/** The strings within a value of plain data, its keys too. */
export function visibleIn<T>(value: T, show: (text: string) => string): T {
  const shown = (part: unknown): unknown => {
    if (typeof part === 'string') return show(part);
    if (Array.isArray(part)) return part.map(shown);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [show(name), shown(member)]));
  };
  return shown(value) as T;
}

/** Of text that is JSON or has lines: only what is live is changed; a JSON text keeps its meaning. */
export function withoutLive(text: string): string {
  return text.replace(LIVE, found =>
    found === '\n' ? found : [...Array(found.length).keys()].map(i => four(found.charCodeAt(i))).join(''),
  );
}

function escaped(found: string): string {
  const code = found.codePointAt(0) ?? 0;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - ODD_BYTES).toString(16)}`;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : four(code);
}

function four(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
