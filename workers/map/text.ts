import { decodeExactly, decodeUtf8, unescapeBytes } from '../../src/contract/text.js';

/** The strings of one map, decoded, and what could not be told of them. */
export class Strings {
  /** Of those decoded, the ones that were no UTF-8: odd bytes stand as lone surrogates. */
  notUtf8 = 0;
  /** Of those decoded, the ones that bpftrace has cut. */
  cut = 0;

  /** @param bytesMax bpftrace's max_strlen, 0 when it is not known */
  constructor(private readonly bytesMax: number) {}

  /** @param body of a JSON string, a character a byte */
  decode(body: string): string {
    return this.text(unescapeBytes(body));
  }

  /** @param bytes a string that bpftrace has printed, or a part of a key; a character a byte */
  text(bytes: string): string {
    if (this.isCut(bytes)) this.cut++;
    if (isAscii(bytes)) return bytes;
    const buffer = Buffer.from(bytes, 'latin1');
    const text = decodeUtf8(buffer);
    if (text !== undefined) return text;
    this.notUtf8++;
    return decodeExactly(buffer);
  }

  /** Until 0.23 a string of max_strlen holds a byte less; 0.27 marks one that it has cut with two dots. */
  private isCut(bytes: string): boolean {
    const { bytesMax } = this;
    if (bytesMax === 0 || bytes.length < bytesMax - 1) return false;
    return bytes.length === bytesMax - 1 || (bytes.length === bytesMax + 2 && bytes.endsWith('..'));
  }
}

function isAscii(bytes: string): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes.charCodeAt(i) >= 0x80) return false;
  return true;
}
