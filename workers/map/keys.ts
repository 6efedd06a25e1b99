import { exact, parseInteger } from '../../src/contract/integer.js';
import type { KeyPart, KeyType } from '../../src/contract/map.js';
import type { KeySpec } from '../../src/contract/program-map.js';
import { framesOf } from './stack.js';
import type { Strings } from './text.js';

/**
 * Takes a key apart. bpftrace joins the parts of a key by commas and quotes nothing, so a part that holds a comma
 * may read like two. A key is split only where there is just one way to do it that fits what the program says of
 * the parts: as many pieces as parts, or one free text among parts that are none, and so on.
 */

/** What an integer may be written as: digits, a pointer, a truth value or the name of an enumerator. */
const INTEGER_WORD = /^(?:-?\d+|0x[0-9a-f]+|[A-Za-z_]\w*)$/;
/** Ways that are tried before it is given up. */
const STEPS_MAX = 2000;

/** Undefined where it cannot be told. @param bytes the key, a character a byte */
export function splitKey(bytes: string, specs: readonly KeySpec[], strings: Strings): KeyPart[] | undefined {
  if (specs.length === 1) return [keyPart(bytes, specs[0], strings)];
  const pieces = bytes.split(',');
  const ends = onlyWay(pieces, specs.map(fitter));
  return ends?.map((end, i) => {
    const part = pieces.slice(i === 0 ? 0 : ends[i - 1], end).join(',');
    return keyPart(part, specs[i], strings);
  });
}

/** Type of a part, as it is told. */
export function keyTypeOf(spec: KeySpec): KeyType {
  return spec.type === 'word' ? 'text' : spec.type;
}

function keyPart(bytes: string, spec: KeySpec | undefined, strings: Strings): KeyPart {
  if (spec?.type === 'int') return integerPart(bytes, spec.unsigned === true);
  const isStack = spec?.type === 'stack';
  const frames = isStack || spec?.type === 'any' ? framesOf(bytes, isStack) : undefined;
  if (frames) return frames.map(frame => ({ ...frame, symbol: strings.text(frame.symbol) }));
  const text = strings.text(bytes);
  if (!spec?.literals || spec.literals.includes(text)) return text;
  const meant = spec.literals.filter(literal => withoutBlanks(literal) === text);
  return meant.length === 1 ? (meant[0] ?? text) : text;
}

/** Until 0.23 keys are printed as if they were signed. */
function integerPart(text: string, isUnsigned: boolean): KeyPart {
  const negative = isUnsigned && /^-\d+$/.test(text);
  return negative ? exact(BigInt.asUintN(64, BigInt(text))) : (parseInteger(text) ?? text);
}

/** As 0.27 writes a text in a key. */
export function withoutBlanks(text: string): string {
  return text.replaceAll(' ', '');
}

type Fits = (part: string) => boolean;

function fitter({ type, literals }: KeySpec): Fits {
  if (literals) {
    const printed = new Set(literals.flatMap(text => [text, withoutBlanks(text)]));
    return part => printed.has(part);
  }
  if (type === 'int') return part => INTEGER_WORD.test(part);
  if (type === 'word') return part => !part.includes(',');
  if (type === 'stack') return part => framesOf(part, true) !== undefined;
  return () => true;
}

/** Where each part ends, as a number of pieces, if there is exactly one way to fit all. */
function onlyWay(pieces: readonly string[], fits: readonly Fits[]): number[] | undefined {
  let found: number[] | undefined;
  let ways = 0;
  let steps = 0;
  const place = (part: number, from: number, ends: number[]): void => {
    if (part === fits.length) {
      if (from !== pieces.length) return;
      ways++;
      found = ends;
      return;
    }
    // Every later part takes one piece at least; the last one takes all that is left.
    const last = pieces.length - (fits.length - part - 1);
    for (let end = part === fits.length - 1 ? last : from + 1; end <= last; end++) {
      if (ways > 1 || ++steps > STEPS_MAX) return;
      if (end > from && fits[part]?.(pieces.slice(from, end).join(','))) place(part + 1, end, [...ends, end]);
    }
  };
  place(0, 0, []);
  return ways === 1 && steps <= STEPS_MAX ? found : undefined;
}
