import { LineKind } from '../contract/ring.js';
import { decodeBytes, decodeEscapes, repairJson } from '../contract/text.js';

/** The text of a line, from its bytes. */
export function decodeLine(bytes: Uint8Array, kind: LineKind): string {
  const text = decodeBytes(bytes);
  if (kind === LineKind.escaped) return decodeEscapes(text);
  if (kind === LineKind.json) return repairJson(text);
  return text;
}
