import { type BoardMap, decodeEntries } from '../contract/board.js';
import { exact, toBigInt } from '../contract/integer.js';
import type { Integer, MapEntry, TypedMap } from '../contract/map.js';
import { decodeEntry, decodeHead, type MergedEntry } from '../contract/map-codec.js';
import { compareWeights, weightOf } from '../contract/map-values.js';

export interface MapsWanted {
  /** Entries of each map, the largest first; all that are kept, if absent. */
  entriesMax?: number | undefined;
  /** Stacks that differ only in offsets each by itself. */
  exactStacks?: boolean | undefined;
}

/** The maps of a board, typed. Only the entries that are wanted are decoded. */
export function readMaps(maps: readonly BoardMap[], wanted: MapsWanted = {}): TypedMap[] {
  return maps.map(map => readMap(map, wanted));
}

/** Entries for which the board had no room. */
export function entriesDropped(map: BoardMap): number {
  const total = decodeHead(map.head).entries_total ?? 0;
  let kept = 0;
  for (const _entry of decodeEntries(map.entries)) kept++;
  return Math.max(0, total - kept);
}

function readMap(map: BoardMap, wanted: MapsWanted): TypedMap {
  const { entriesMax = Number.POSITIVE_INFINITY, exactStacks } = wanted;
  const { sum, stacks_merged: merged = 0, ...head } = decodeHead(map.head);
  if (head.entries_total === undefined) return head;
  const kept = [...firstEntries(map.entries, exactStacks ? Number.POSITIVE_INFINITY : entriesMax)];
  const told = exactStacks ? expanded(kept) : kept.map(({ key, value }) => ({ key, value }));
  const parted = told.length - kept.length;
  const entries = told.slice(0, entriesMax);
  const total = head.entries_total + parted;
  const omitted = total - entries.length;
  return {
    ...head,
    entries_total: total,
    entries,
    ...(omitted > 0 && { omitted: { entries: omitted, ...restOfSum(sum, entries) } }),
    ...(merged > parted && { stacks_merged: merged - parted }),
  };
}

function* firstEntries(bytes: Uint8Array, count: number): Generator<MergedEntry> {
  if (count <= 0) return;
  let given = 0;
  for (const entry of decodeEntries(bytes)) {
    yield decodeEntry(entry);
    if (++given >= count) return;
  }
}

/** What merged entries were made of, where there was room to keep it. */
function expanded(entries: readonly MergedEntry[]): MapEntry[] {
  return entries
    .flatMap(({ exact: own, ...entry }) => own ?? [entry])
    .sort((a, b) => compareWeights(b.value, a.value));
}

function restOfSum(sum: Integer | undefined, given: readonly MapEntry[]): { sum?: Integer } {
  const all = toBigInt(sum);
  if (all === undefined) return {};
  return { sum: exact(given.reduce((rest, { value }) => rest - (weightOf(value) ?? 0n), all)) };
}
