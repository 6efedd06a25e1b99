import { z } from 'zod';
import { exact, toBigInt } from '../contract/integer.js';
import type { Frame, Histogram, MapEntry, MapValue, TypedMap } from '../contract/map.js';
import { isFrames, isHistogram, isSeries, SUMMED, weightOf } from '../contract/map-values.js';
import { jsonBytes, shortened } from './bytes.js';
import { mapSchema } from './map-schema.js';
import { mapLines } from './map-text.js';
import { keyText, valueText } from './value-text.js';

/** A map as one reply shows it. */
export const shownMapSchema = mapSchema.extend({
  shortened: z
    .literal(true)
    .optional()
    .describe(
      'keys, stacks or texts were shortened, or buckets joined, for this reply; max_bytes gives them',
    ),
});
export type ShownMap = z.output<typeof shownMapSchema>;

/** For the words and numbers about what is not shown. */
const NOTE_BYTES = 120;
/** A larger entry is shortened, so that it hides no others. */
const ENTRY_SHARE = 1 / 4;
const ENTRY_BYTES_MIN = 160;

/** Maps within `bytes`: of each the largest entries; `left` says how many maps had no room at all. */
export function shownMaps(
  maps: readonly TypedMap[],
  bytes: number,
): { shown: ShownMap[]; bytes: number; left: number } {
  const shown: ShownMap[] = [...maps];
  const costs = shown.map(mapCost);
  if (sum(costs) <= bytes) return { shown, bytes: sum(costs), left: 0 };
  // The small ones whole; what they leave of their equal shares goes to the larger ones.
  let left = bytes;
  const order = costs.map((_, i) => i).sort((a, b) => (costs[a] ?? 0) - (costs[b] ?? 0));
  order.forEach((at, done) => {
    const share = left / (order.length - done);
    const map = shown[at];
    if (map && (costs[at] ?? 0) > share) shown[at] = fitted(map, share);
    costs[at] = shown[at] ? mapCost(shown[at]) : 0;
    left -= costs[at];
  });
  while (shown.length > 0 && sum(costs) > bytes) {
    shown.pop();
    costs.pop();
  }
  return { shown, bytes: sum(costs), left: maps.length - shown.length };
}

/** What a map takes in a reply, as JSON or as text, whichever is more. */
export function mapCost(map: ShownMap): number {
  return Math.max(jsonBytes(map) + 1, lineBytes(mapLines(map, Number.POSITIVE_INFINITY)) + NOTE_BYTES);
}

function fitted(map: TypedMap, bytes: number): ShownMap {
  if (!map.entries) {
    const value = shrunk(map.value ?? null, bytes - mapCost({ ...map, value: null }) - NOTE_BYTES);
    return { ...map, value, shortened: true };
  }
  let left = bytes - mapCost({ ...map, entries: [] }) - NOTE_BYTES;
  const most = Math.max(ENTRY_BYTES_MIN, left * ENTRY_SHARE);
  const kept: MapEntry[] = [];
  let anyShortened = false;
  for (const entry of map.entries) {
    const short = entryCost(entry, map.name) > most ? shrunkEntry(entry, most, map.name) : entry;
    left -= entryCost(short, map.name);
    if (left < 0) break;
    kept.push(short);
    anyShortened ||= short !== entry;
  }
  return { ...withFirst(map, kept), ...(anyShortened && { shortened: true as const }) };
}

/** The map with only its first entries, `kept`, and what has become of the others. */
function withFirst(map: TypedMap, kept: MapEntry[]): TypedMap {
  const rest = map.entries?.slice(kept.length) ?? [];
  if (rest.length === 0) return { ...map, entries: kept };
  const omitted = (map.omitted?.entries ?? 0) + rest.length;
  const before = map.omitted ? toBigInt(map.omitted.sum) : 0n;
  const weights = rest.map(({ value }) => weightOf(value));
  const known = before !== undefined && weights.every(weight => weight !== undefined);
  const total = weights.reduce<bigint>((all, weight) => all + (weight ?? 0n), before ?? 0n);
  return {
    ...map,
    entries: kept,
    omitted: { entries: omitted, ...(known && SUMMED.has(map.kind) && { sum: exact(total) }) },
  };
}

function entryCost({ key, value }: MapEntry, name: string): number {
  const text = `${name}[${keyText(key)}]: ${valueText(value)}`;
  return Math.max(jsonBytes({ key, value }) + 1, Buffer.byteLength(text) + 1);
}

function shrunkEntry(entry: MapEntry, bytes: number, name: string): MapEntry {
  const room = bytes - entryCost({ key: [], value: null }, name);
  const valueRoom = Math.min(jsonBytes(entry.value), Math.max(room / 2, room - jsonBytes(entry.key)));
  const partRoom = (room - valueRoom) / Math.max(1, entry.key.length);
  return {
    key: entry.key.map(part => (typeof part === 'number' ? part : shrunkPart(part, partRoom))),
    value: jsonBytes(entry.value) > valueRoom ? shrunk(entry.value, valueRoom) : entry.value,
  };
}

function shrunkPart(part: string | Frame[], bytes: number): string | Frame[] {
  return typeof part === 'string' ? shortText(part, bytes) : shrunkFrames(part, bytes);
}

function shrunk(value: MapValue, bytes: number): MapValue {
  if (typeof value === 'string') return shortText(value, bytes);
  if (isHistogram(value)) return joinedBuckets(value, bytes);
  if (isFrames(value)) return shrunkFrames(value, bytes);
  if (isSeries(value)) return newest(value, bytes);
  return jsonBytes(value) <= bytes ? value : shortText(JSON.stringify(value), bytes);
}

function shortText(text: string, bytes: number): string {
  return shortened(text, bytes, leftOut => `…[+${leftOut} bytes]`);
}

/** The frames nearest to what happened. */
function shrunkFrames(frames: Frame[], bytes: number): Frame[] {
  let left = bytes - jsonBytes({ symbol: `…[+${frames.length} frames]` });
  const kept: Frame[] = [];
  for (const frame of frames) {
    left -= jsonBytes(frame) + 1;
    if (left < 0) break;
    kept.push(frame);
  }
  const rest = frames.length - kept.length;
  return rest === 0 ? frames : [...kept, { symbol: `…[+${rest} frames]` }];
}

/** The same counts in wider buckets: neighbours are joined until it fits. */
function joinedBuckets(histogram: Histogram, bytes: number): Histogram {
  let { buckets } = histogram;
  while (buckets.length > 1 && jsonBytes({ ...histogram, buckets }) > bytes) {
    const joined: Histogram['buckets'] = [];
    for (let i = 0; i < buckets.length; i += 2) {
      const [lower, upper, count] = buckets[i] ?? [null, null, 0];
      const next = buckets[i + 1];
      joined.push(next ? [lower, next[1], exact(BigInt(count) + BigInt(next[2]))] : [lower, upper, count]);
    }
    buckets = joined;
  }
  return { ...histogram, buckets };
}

function newest<T>(points: readonly T[], bytes: number): T[] {
  let left = bytes;
  let from = points.length;
  while (from > 0 && left >= 0) left -= jsonBytes(points[--from]) + 1;
  return points.slice(left < 0 ? from + 1 : from);
}

function lineBytes(lines: readonly string[]): number {
  return lines.reduce((total, line) => total + Buffer.byteLength(line) + 1, 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
