import type { Integer } from './map.js';

/** Integers of up to 65 bits, none of which ever goes through a double that can't hold it. */

const DIGITS = /^-?\d+$/;

export function exact(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** A number as it is written; undefined for text that is no integer. */
export function parseInteger(text: string): Integer | undefined {
  if (!DIGITS.test(text)) return undefined;
  const number = Number(text);
  // -0 is no integer that bpftrace prints, but a string of digits may be written so.
  return Number.isSafeInteger(number) ? number + 0 : String(BigInt(text));
}

/** Undefined for what is no integer. */
export function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && DIGITS.test(value) ? BigInt(value) : undefined;
}
