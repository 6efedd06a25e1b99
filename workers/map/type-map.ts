import type { KeyPart, KeyType, MapEntry, MapKind, MapValue, TypedMap } from '../../src/contract/map.js';
import type { MergedEntry } from '../../src/contract/map-codec.js';
import {
  compareWeights,
  isFrames,
  isHistogram,
  isRecord,
  isStatistics,
} from '../../src/contract/map-values.js';
import type { ProgramMap } from '../../src/contract/program-map.js';
import { unescapeBytes } from '../../src/contract/text.js';
import { type Json, JsonObject, parseJson } from './json.js';
import { keyTypeOf, splitKey, withoutBlanks } from './keys.js';
import { mergeStacks } from './merge.js';
import type { MapReading } from './reading.js';
import { Strings } from './text.js';
import { bufferOf, isStatisticsJson, typedValue } from './values.js';

/** A map with all its entries, largest value first. */
export interface WholeMap extends Omit<TypedMap, 'entries'> {
  entries?: MergedEntry[];
}

/**
 * Makes a typed map of what bpftrace printed.
 *
 * @param type bpftrace's word for the record: `map`, `hist`, `stats`, `tseries`
 * @param json its value, a character a byte
 */
export function typeMap(name: string, type: string, json: string, reading: MapReading): WholeMap {
  const strings = new Strings(reading.stringBytesMax);
  let map: WholeMap;
  try {
    map = typedOf(name, type, parseJson(json), strings, reading);
  } catch {
    // Not what is known of bpftrace's JSON: shown as it came rather than not at all.
    map = { name, kind: 'scalar', value: strings.decode(json) };
  }
  return {
    ...map,
    ...(strings.cut > 0 && { strings_cut: strings.cut }),
    ...(strings.notUtf8 > 0 && { strings_not_utf8: strings.notUtf8 }),
  };
}

function typedOf(name: string, type: string, json: Json, strings: Strings, reading: MapReading): WholeMap {
  const program = reading.maps.find(map => map.name === name);
  if (json instanceof JsonObject && isKeyed(json, type, program))
    return keyedMap(name, type, json, program, strings, reading);
  const value = program?.buffer ? bufferOf(json, strings) : typedValue(type, json, strings);
  return { name, kind: kindOf(type, value, program), value };
}

function isKeyed(json: JsonObject, type: string, program: ProgramMap | undefined): boolean {
  if (program?.keys) return program.keys.length > 0;
  return type !== 'stats' || !isStatisticsJson(json);
}

function keyedMap(
  name: string,
  type: string,
  json: JsonObject,
  program: ProgramMap | undefined,
  strings: Strings,
  reading: MapReading,
): WholeMap {
  const escapedTwice = reading.keysEscapedTwice ?? looksEscapedTwice(json);
  let unsplit = 0;
  const entries = json.members.map(([body, value]): MapEntry => {
    // The outer escapes undone, what is left is the body that should have been written.
    const bytes = unescapeBytes(escapedTwice ? body.replace(/\\(["\\])/g, '$1') : body);
    const parts = program?.keys && splitKey(bytes, program.keys, strings);
    if (program?.keys && !parts) unsplit++;
    const typed = program?.buffer ? bufferOf(value, strings) : typedValue(type, value, strings);
    return { key: parts ?? wholeKey(bytes, strings), value: typed };
  });
  const kind = kindOf(type, entries[0]?.value ?? 0, program);
  const merged = mergeStacks(entries, kind, program?.additive === true);
  tellApart(merged);
  merged.sort((a, b) => compareWeights(b.value, a.value));
  const full = entries.length >= (program?.keysMax ?? reading.keysMax);
  return {
    name,
    kind,
    keys: program?.keys?.map(keyTypeOf) ?? [keyTypeByLook(entries)],
    entries: merged,
    entries_total: merged.length,
    ...(merged.length < entries.length && { stacks_merged: entries.length - merged.length }),
    ...keysUnsplit(unsplit, program),
    ...(full && { full }),
    ...(reading.keysWithoutBlanks && hasFreeText(program) && { blanks_lost: true as const }),
  };
}

function wholeKey(bytes: string, strings: Strings): KeyPart[] {
  return splitKey(bytes, [{ type: 'any' }], strings) ?? [];
}

/** Texts that the program has in it are told with their blanks, but for those that differ in nothing else. */
function hasFreeText(program: ProgramMap | undefined): boolean {
  if (!program?.keys) return true;
  return program.keys.some(
    ({ type, literals }) => (type === 'text' || type === 'any') && !areDistinct(literals),
  );
}

function areDistinct(literals: readonly string[] | undefined): boolean {
  return literals !== undefined && new Set(literals.map(withoutBlanks)).size === literals.length;
}

function keyTypeByLook(entries: readonly MapEntry[]): KeyType {
  return entries.length > 0 && entries.every(entry => Array.isArray(entry.key[0])) ? 'stack' : 'any';
}

function keysUnsplit(count: number, program: ProgramMap | undefined): Pick<TypedMap, 'keys_unsplit'> {
  if (!program) return { keys_unsplit: "the program's text does not tell the parts of its keys" };
  if (!program.keys) return { keys_unsplit: 'the number of parts is not certain' };
  if (count === 0) return {};
  return { keys_unsplit: `${count} with more commas than parts, of which more than one may hold them` };
}

/** In a key, the frames of a stack or a byte outside ASCII, escaped once more. Nothing else looks like it. */
const ESCAPED_TWICE = /(?<!\\)\\\\(?:n(?: {4}|\\\\t)|uffffff[0-9a-f]{2})/;

function looksEscapedTwice(json: JsonObject): boolean {
  return json.members.some(([key]) => ESCAPED_TWICE.test(key));
}

/**
 * Two keys may read alike, since bpftrace tells symbols apart by address and prints none, and 0.27 takes blanks
 * out: from the second one on they are numbered.
 */
function tellApart(entries: MapEntry[]): void {
  const seen = new Map<string, number>();
  for (const entry of entries) {
    const identity = JSON.stringify(entry.key);
    const count = (seen.get(identity) ?? 0) + 1;
    seen.set(identity, count);
    const last = entry.key.findLastIndex(part => typeof part === 'string');
    if (count > 1 && last >= 0)
      entry.key = entry.key.map((part, i) => (i === last ? `${part} #${count}` : part));
  }
}

function kindOf(type: string, value: MapValue, program: ProgramMap | undefined): MapKind {
  if (type === 'hist') {
    if (program?.kind === 'hist' || program?.kind === 'lhist') return program.kind;
    return isHistogram(value) && !value.buckets.every(([lower]) => isPowerOfTwo(lower)) ? 'lhist' : 'hist';
  }
  if (type === 'stats') return isStatistics(value) ? 'stats' : 'avg';
  if (type === 'tseries') return 'tseries';
  if (program?.kind && ['count', 'sum', 'min', 'max'].includes(program.kind)) return program.kind;
  if (isFrames(value)) return 'stack';
  if (Array.isArray(value)) return 'tuple';
  return isRecord(value) ? 'struct' : 'scalar';
}

function isPowerOfTwo(lower: number | string | null): boolean {
  return lower === null || Number.isInteger(Math.log2(Number(lower) || 1));
}
