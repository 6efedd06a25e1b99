import { type BoardMap, ENTRY_OVERHEAD_BYTES, encodeEntries } from '../../src/contract/board.js';
import { exact } from '../../src/contract/integer.js';
import type { Integer } from '../../src/contract/map.js';
import { encodeEntry, encodeHead, type MapHead, type MergedEntry } from '../../src/contract/map-codec.js';
import { SUMMED, weightOf } from '../../src/contract/map-values.js';
import type { WholeMap } from './type-map.js';

/** A typed map as it will stand on the board, within a bound of bytes. */
export interface EncodedMap {
  head: Uint8Array;
  /** The largest first. */
  entries: Uint8Array[];
  bytes: number;
}

/** Entries too large for what room is left that are passed over before the rest is not looked at. */
const PASSED_OVER_MAX = 16;

export function encodeMap(map: WholeMap, bytesMax: number): EncodedMap {
  const { entries = [], ...rest } = map;
  const sum = SUMMED.has(map.kind) ? sumOf(entries) : undefined;
  const head = boundedHead({ ...rest, ...(sum !== undefined && { sum }) }, bytesMax);
  const fitted = fit({ head, entries: encodedLazily(entries) }, bytesMax);
  return withExactStacks(fitted, entries, bytesMax);
}

/** The same map in less room. */
export function shrinkMap(map: EncodedMap, bytesMax: number): EncodedMap {
  return fit({ head: map.head, entries: map.entries }, bytesMax);
}

export function onBoard(map: EncodedMap): BoardMap {
  return { head: map.head, entries: encodeEntries(map.entries) };
}

function fit(map: { head: Uint8Array; entries: Iterable<Uint8Array> }, bytesMax: number): EncodedMap {
  let bytes = map.head.byteLength;
  const entries: Uint8Array[] = [];
  let passedOver = 0;
  for (const entry of map.entries) {
    const takes = entry.byteLength + ENTRY_OVERHEAD_BYTES;
    if (bytes + takes > bytesMax) {
      if (++passedOver > PASSED_OVER_MAX) break;
      continue;
    }
    bytes += takes;
    entries.push(entry);
  }
  return { head: map.head, entries, bytes };
}

function* encodedLazily(entries: readonly MergedEntry[]): Generator<Uint8Array> {
  for (const { key, value } of entries) yield encodeEntry({ key, value });
}

/** What merged entries were made of stands beside them where there is room left, the largest first. */
function withExactStacks(map: EncodedMap, entries: readonly MergedEntry[], bytesMax: number): EncodedMap {
  let { bytes } = map;
  // Entries that were passed over would shift the places of those behind them.
  if (map.entries.length < entries.length) return map;
  const full = map.entries.map((encoded, i) => {
    const entry = entries[i];
    if (!entry?.exact) return encoded;
    const whole = encodeEntry(entry);
    const more = whole.byteLength - encoded.byteLength;
    if (bytes + more > bytesMax) return encoded;
    bytes += more;
    return whole;
  });
  return { ...map, entries: full, bytes };
}

/** A value of a map without keys that is larger than all the room is left out. */
function boundedHead(head: MapHead, bytesMax: number): Uint8Array {
  const encoded = encodeHead(head);
  if (encoded.byteLength <= bytesMax) return encoded;
  return encodeHead({ name: head.name, kind: head.kind, value: null, omitted: { entries: 1 } });
}

/** Undefined where a value is no number. */
function sumOf(entries: readonly MergedEntry[]): Integer | undefined {
  let sum = 0n;
  for (const { value } of entries) {
    const weight = weightOf(value);
    if (weight === undefined) return undefined;
    sum += weight;
  }
  return exact(sum);
}
