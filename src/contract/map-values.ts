import { toBigInt } from './integer.js';
import type { Frame, Histogram, MapKind, MapValue, SeriesPoint, Statistics } from './map.js';

/** Values of maps told apart by their shape, and what they weigh. */

/** Kinds of maps whose entries can be added up. */
export const SUMMED: ReadonlySet<MapKind> = new Set(['count', 'sum', 'stats', 'hist', 'lhist', 'scalar']);

export function isHistogram(value: unknown): value is Histogram {
  return isRecord(value) && Array.isArray(value.buckets);
}

export function isStatistics(value: unknown): value is Statistics {
  return isRecord(value) && 'count' in value && 'average' in value && 'total' in value;
}

export function isFrames(value: unknown): value is Frame[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => isRecord(item) && 'symbol' in item);
}

export function isSeries(value: unknown): value is SeriesPoint[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => isRecord(item) && 'at' in item);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What an entry counts for: its number, or the count of its histogram or statistics; undefined for others. */
export function weightOf(value: MapValue): bigint | undefined {
  return toBigInt(isHistogram(value) || isStatistics(value) ? value.count : value);
}

/** For sorting. What weighs nothing keeps its place among its like, below every number above 0. */
export function compareWeights(a: MapValue, b: MapValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [first, second] = [weightOf(a) ?? 0n, weightOf(b) ?? 0n];
  return first < second ? -1 : first > second ? 1 : 0;
}
