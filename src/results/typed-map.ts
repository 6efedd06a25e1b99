import type { MapRecord } from '../contract/board.js';
import type {
  Bounds,
  Bucket,
  Frame,
  Histogram,
  Integer,
  KeyPart,
  MapEntry,
  MapKind,
  MapValue,
  SeriesPoint,
  TupleMember,
  TypedMap,
} from '../contract/map.js';
import { parseExact } from './decode.js';

/** What bpftrace's JSON says of one map, typed. */
export function typedMap(record: MapRecord): TypedMap {
  const { name, type } = record;
  let parsed: unknown;
  try {
    parsed = parseExact(record.json);
  } catch {
    return { name, kind: 'scalar', value: record.json }; // Not JSON: shown as it came rather than not at all.
  }
  const omitted = record.omittedEntries > 0 ? { omitted: { entries: record.omittedEntries } } : {};
  if (!isRecord(parsed) || isStatistics(parsed)) {
    const value = typedValue(type, parsed);
    return { name, kind: kindOf(type, value), value, ...omitted };
  }
  const entries: MapEntry[] = Object.entries(parsed).map(([key, value]) => ({
    key: [keyPart(key)],
    value: typedValue(type, value),
  }));
  entries.sort((a, b) => compare(weight(b.value), weight(a.value)));
  const stacks = entries.length > 0 && entries.every(entry => Array.isArray(entry.key[0]));
  return {
    name,
    kind: kindOf(type, entries[0]?.value ?? 0),
    keys: [stacks ? 'stack' : 'any'],
    entries,
    entries_total: entries.length + record.omittedEntries,
    ...omitted,
  };
}

function kindOf(type: string, value: MapValue): MapKind {
  if (type === 'hist') return isHistogram(value) && !value.buckets.every(isPowerOfTwo) ? 'lhist' : 'hist';
  if (type === 'stats') return isStatistics(value) ? 'stats' : 'avg';
  if (type === 'tseries') return 'tseries';
  if (!Array.isArray(value)) return isRecord(value) ? 'struct' : 'scalar';
  return isFrames(value) ? 'stack' : 'tuple';
}

function isPowerOfTwo([lower]: Bucket): boolean {
  return lower === null || Number.isInteger(Math.log2(Number(lower) || 1));
}

function typedValue(type: string, value: unknown): MapValue {
  if (type === 'hist' && Array.isArray(value)) return histogram(value);
  if (type === 'tseries' && Array.isArray(value)) {
    return value
      .filter(isRecord)
      .map(point => ({ at: String(point.interval_start), value: leaf(point.value) }));
  }
  if (isRecord(value) && isStatistics(value)) return value;
  return member(value);
}

function member(value: unknown): TupleMember {
  if (typeof value === 'string') return framesOf(value) ?? value;
  if (Array.isArray(value)) return value.map(member);
  if (!isRecord(value)) return leaf(value);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, member(field)]));
}

function leaf(value: unknown): Integer | string | null {
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}

/**
 * 0.17 overflows the bounds of the last bucket of hist(), which holds everything from 2^31 on, and writes
 * {"min": -2147483648, "max": 0}. No other bucket has these bounds.
 */
function histogram(raw: unknown[]): Histogram {
  const buckets: Bucket[] = [];
  for (const bucket of raw.filter(isRecord)) {
    const count = leaf(bucket.count) ?? 0;
    if (Number(count) === 0) continue;
    const overflown = bucket.min === -(2 ** 31) && bucket.max === 0;
    const lower = overflown ? 2 ** 31 : leaf(bucket.min);
    const last = overflown ? null : leaf(bucket.max);
    buckets.push([lower, last === null ? null : oneMore(last), count]);
  }
  const count = exact(buckets.reduce((sum, bucket) => sum + BigInt(bucket[2]), 0n));
  if (buckets.length === 0) return { count, buckets };
  return {
    count,
    p50: percentile(buckets, count, 50n),
    p90: percentile(buckets, count, 90n),
    p99: percentile(buckets, count, 99n),
    buckets,
  };
}

function percentile(buckets: Bucket[], count: Integer, percent: bigint): Bounds {
  const rank = (BigInt(count) * percent + 99n) / 100n;
  let seen = 0n;
  const found = buckets.find(bucket => {
    seen += BigInt(bucket[2]);
    return seen >= rank;
  });
  return [found?.[0] ?? null, found?.[1] ?? null];
}

/** A bound that is no integer (a label) is exclusive already. */
function oneMore(last: Integer): Integer {
  return /^-?\d+$/.test(String(last)) ? exact(BigInt(last) + 1n) : last;
}

function exact(value: bigint): Integer {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

const FRAMES = /^\n(?: *\S[^\n]*\n)+$/;
const FRAME = /^(.*?)(?:\+(\d+))?$/s;

function framesOf(text: string): Frame[] | undefined {
  if (!FRAMES.test(text)) return undefined;
  return text
    .trim()
    .split('\n')
    .map(line => {
      const [, symbol = '', offset] = FRAME.exec(line.trim()) ?? [];
      return { symbol, ...(offset !== undefined && { offset: Number(offset) }) };
    });
}

function keyPart(key: string): KeyPart {
  return framesOf(key) ?? key;
}

/** What an entry is sorted by: its number, or the count of its histogram or statistics. */
function weight(value: MapValue): bigint | number {
  if (isHistogram(value) || isStatistics(value)) return BigInt(value.count);
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : 0;
}

function compare(a: bigint | number, b: bigint | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isHistogram(value: unknown): value is Histogram {
  return isRecord(value) && Array.isArray(value.buckets);
}

export function isStatistics(value: unknown): value is { count: Integer; average: Integer; total: Integer } {
  return isRecord(value) && 'count' in value && 'average' in value && 'total' in value;
}

export function isFrames(value: unknown): value is Frame[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => isRecord(item) && 'symbol' in item);
}

export function isSeries(value: unknown): value is SeriesPoint[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => isRecord(item) && 'at' in item);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
