import { LineKind } from '../contract/ring.js';
import { decodeBytes, decodeEscapes, decodeExactly, repairJson } from '../contract/text.js';
import { visible, withoutLive } from '../contract/visible.js';

/** The text of a line, from its bytes, so that it can be shown to anybody. */
export function decodeLine(bytes: Uint8Array, kind: LineKind): string {
  if (kind === LineKind.json) return withoutLive(repairJson(decodeBytes(bytes)));
  const text = decodeExactly(bytes);
  return visible(kind === LineKind.escaped ? decodeEscapes(text, decodeExactly) : text);
}
