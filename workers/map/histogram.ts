import { exact, toBigInt } from '../../src/contract/integer.js';
import type { Bounds, Bucket, Histogram, Integer } from '../../src/contract/map.js';
import { type Json, JsonObject, JsonString } from './json.js';

/** Of bpftrace's `[{"min": 4, "max": 7, "count": 2}, …]` with inclusive bounds. */
export function histogramOf(raw: readonly Json[]): Histogram {
  const buckets: Bucket[] = [];
  for (const item of raw) {
    if (!(item instanceof JsonObject)) continue;
    const count = item.get('count');
    if (!isInteger(count) || toBigInt(count) === 0n) continue;
    buckets.push([...bounds(bound(item.get('min')), bound(item.get('max'))), count]);
  }
  return summed(buckets);
}

/**
 * 0.17 overflows the bounds of the last bucket of hist(), which holds everything from 2^31 on, and writes
 * {"min": -2147483648, "max": 0}. No other bucket has these bounds.
 */
function bounds(min: Integer | null, max: Integer | null): Bounds {
  if (min === -(2 ** 31) && max === 0) return [2 ** 31, null];
  if (max === null) return [min, null];
  const last = toBigInt(max);
  // A label, as 0.27 writes them in places, is exclusive already.
  return [min, last === undefined ? max : exact(last + 1n)];
}

function bound(value: Json | undefined): Integer | null {
  if (value instanceof JsonString) return value.body;
  return isInteger(value) ? value : null;
}

function isInteger(value: Json | undefined): value is Integer {
  return typeof value === 'number' || typeof value === 'string';
}

/** Bucket by bucket; both have the same bounds, being of one map. */
export function addHistograms(a: Histogram, b: Histogram): Histogram {
  const merged = new Map(a.buckets.map(bucket => [String(bucket[0]), bucket]));
  for (const [lower, upper, count] of b.buckets) {
    const there = merged.get(String(lower))?.[2] ?? 0;
    merged.set(String(lower), [lower, upper, exact(BigInt(there) + BigInt(count))]);
  }
  return summed([...merged.values()].sort(byLower));
}

function byLower([a]: Bucket, [b]: Bucket): number {
  const [first, second] = [toBigInt(a), toBigInt(b)];
  if (first === undefined || second === undefined) return first === second ? 0 : first === undefined ? -1 : 1;
  return first < second ? -1 : first > second ? 1 : 0;
}

function summed(buckets: Bucket[]): Histogram {
  const count = buckets.reduce((sum, bucket) => sum + BigInt(bucket[2]), 0n);
  if (count === 0n) return { count: 0, buckets };
  const [p50, p90, p99] = [50n, 90n, 99n].map(percent => bucketAt(buckets, (count * percent + 99n) / 100n));
  return { count: exact(count), p50, p90, p99, buckets };
}

/** The bucket of the value of this rank, 1 being the smallest. */
function bucketAt(buckets: Bucket[], rank: bigint): Bounds {
  let seen = 0n;
  for (const [lower, upper, count] of buckets) {
    seen += BigInt(count);
    if (seen >= rank) return [lower, upper];
  }
  return [null, null];
}
