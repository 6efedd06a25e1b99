import { exact, toBigInt } from '../../src/contract/integer.js';
import type { Frame, MapEntry, MapKind, MapValue } from '../../src/contract/map.js';
import type { MergedEntry } from '../../src/contract/map-codec.js';
import { isHistogram, isStatistics } from '../../src/contract/map-values.js';
import { addHistograms } from './histogram.js';
import { stackIdentity } from './stack.js';

type Combine = (a: MapValue, b: MapValue) => MapValue | undefined;

/**
 * Stacks that differ only in an instruction's offset (the same functions called each other, from another line or
 * in another process) are one entry, where their values can be added without loss. What was added stays beside it.
 */
export function mergeStacks(entries: readonly MapEntry[], kind: MapKind, additive: boolean): MergedEntry[] {
  const combine = combinerOf(kind, additive);
  if (!combine || !entries.some(entry => entry.key.some(Array.isArray))) return [...entries];
  const groups = new Map<string, MapEntry[]>();
  for (const entry of entries) {
    const identity = JSON.stringify(
      entry.key.map(part => (Array.isArray(part) ? [stackIdentity(part)] : part)),
    );
    const group = groups.get(identity);
    if (group) group.push(entry);
    else groups.set(identity, [entry]);
  }
  return [...groups.values()].flatMap(group => mergeGroup(group, combine));
}

function mergeGroup(group: MapEntry[], combine: Combine): MergedEntry[] {
  const [first] = group;
  if (!first || group.length === 1) return group;
  let value: MapValue | undefined = first.value;
  for (const entry of group.slice(1)) value = value === undefined ? undefined : combine(value, entry.value);
  if (value === undefined) return group;
  const key = first.key.map((part, i) => (Array.isArray(part) ? commonFrames(part, i, group) : part));
  return [{ key, value, exact: group }];
}

/** The frames of one part of the key: with the offsets that all of the group have. */
function commonFrames(frames: Frame[], part: number, group: MapEntry[]): Frame[] {
  return frames.map((frame, i) => {
    const same = group.every(({ key }) => {
      const other = key[part];
      return Array.isArray(other) && other[i]?.offset === frame.offset;
    });
    const { offset: _differs, ...without } = frame;
    return same ? frame : without;
  });
}

function combinerOf(kind: MapKind, additive: boolean): Combine | undefined {
  switch (kind) {
    case 'count':
    case 'sum':
      return add;
    case 'min':
      return (a, b) => pick(a, b, (first, second) => first < second);
    case 'max':
      return (a, b) => pick(a, b, (first, second) => first > second);
    case 'stats':
      return addStatistics;
    case 'hist':
    case 'lhist':
      return (a, b) => (isHistogram(a) && isHistogram(b) ? addHistograms(a, b) : undefined);
    case 'scalar':
      return additive ? add : undefined;
    default:
      return undefined;
  }
}

function add(a: MapValue, b: MapValue): MapValue | undefined {
  const [first, second] = [toBigInt(a), toBigInt(b)];
  return first === undefined || second === undefined ? undefined : exact(first + second);
}

function pick(a: MapValue, b: MapValue, isBetter: (a: bigint, b: bigint) => boolean): MapValue | undefined {
  const [first, second] = [toBigInt(a), toBigInt(b)];
  if (first === undefined || second === undefined) return undefined;
  return isBetter(second, first) ? b : a;
}

function addStatistics(a: MapValue, b: MapValue): MapValue | undefined {
  if (!isStatistics(a) || !isStatistics(b)) return undefined;
  const count = BigInt(a.count) + BigInt(b.count);
  const total = BigInt(a.total) + BigInt(b.total);
  return { count: exact(count), average: exact(count === 0n ? 0n : total / count), total: exact(total) };
}
