/**
 * Undoes what bpftrace's JSON does to text. A byte outside ASCII comes out sign-extended, `é` as
 * `\uffffffc3\uffffffa9` (0.17 to 0.27). A control character is at most `\u001f`, so nothing else begins with
 * `\uffffff`, and the repair is certain. Bytes that are not UTF-8 stand as lone surrogates, so that nothing is lost.
 */
const ODD_BYTES = 0xdc00;
const ESCAPES = /((?:\\uffffff[0-9a-f]{2})+)|\\u(00[0-9a-f]{2})|\\([^u])/gi;
const SHORT_ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body of a JSON string of bpftrace's; a backslash sequence that is none (a line cut in the middle) stays as it is. */
export function decodeEscapes(body: string): string {
  if (!body.includes('\\')) return body;
  return body.replace(ESCAPES, (_whole, damaged?: string, code?: string, letter?: string) => {
    if (damaged !== undefined) return decodeExactly(damagedBytes(damaged));
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return SHORT_ESCAPES[letter ?? ''] ?? letter ?? '';
  });
}

/** The same body as bytes, a character of the result for each; characters of `body` are bytes already. */
export function unescapeBytes(body: string): string {
  if (!body.includes('\\')) return body;
  return body.replace(ESCAPES, (_whole, damaged?: string, code?: string, letter?: string) => {
    if (damaged !== undefined) return Buffer.from(damagedBytes(damaged)).toString('latin1');
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return SHORT_ESCAPES[letter ?? ''] ?? letter ?? '';
  });
}

/** Undefined for bytes that are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes as text; those that are no UTF-8 as the lone surrogates U+DC80 to U+DCFF, so that none is taken for another. */
export function decodeExactly(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? decodeInvalid(bytes);
}

function decodeInvalid(bytes: Uint8Array): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = validSequenceLength(bytes, at);
    text +=
      length > 0
        ? utf8.decode(bytes.subarray(at, at + length))
        : String.fromCharCode(ODD_BYTES + (bytes[at] ?? 0));
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
    damaged === undefined ? whole : JSON.stringify(decodeExactly(damagedBytes(damaged))).slice(1, -1),
  );
}
