import type { Result } from './result.js';

type MapValue = Result['maps'][number];

/** Entries of one map shown as text, the largest first. */
const ENTRIES_SHOWN = 20;

interface Bucket {
  min?: number | string;
  max?: number | string;
  count: number | string;
}

/** One map in compact lines: `@n: 20`, an entry a line, a bucket with something in it a line. */
export function mapLines(map: MapValue, shown = ENTRIES_SHOWN): string[] {
  const { name, value } = map;
  const lines = valueLines(name, value, shown);
  if (map.omitted_entries) lines.push(`${name}: ${map.omitted_entries} more entries were left out for size`);
  return lines;
}

function valueLines(name: string, value: unknown, shown: number): string[] {
  if (isHistogram(value))
    return [`${name}:`, ...value.filter(bucket => Number(bucket.count) > 0).map(bucketLine)];
  if (isSeries(value))
    return [`${name}:`, ...value.map(slot => `  ${slot.interval_start} ${plain(slot.value)}`)];
  if (!isRecord(value)) return [`${name}: ${plain(value)}`];
  if (isStatistics(value)) return [`${name}: ${statistics(value)}`];
  const entries = Object.entries(value).sort((a, b) => weight(b[1]) - weight(a[1]));
  const lines = entries
    .slice(0, shown)
    .flatMap(([key, entry]) => valueLines(`${name}[${key}]`, entry, shown));
  const rest = entries.length - shown;
  if (rest > 0) lines.push(`${name}: ${rest} smaller entries not shown here`);
  return lines;
}

/** `[4, 8)` for bpftrace's inclusive {min: 4, max: 7}; a missing bound is open; a single value stands alone. */
export function bucketRange({ min, max }: Bucket): string {
  if (min !== undefined && min === max) return `[${min}]`;
  return `${min === undefined ? '(...' : `[${min}`}, ${max === undefined ? '...' : oneMore(max)})`;
}

/** A bound that is no integer (0.27 has labels there) is exclusive already. */
function oneMore(max: number | string): number | bigint | string {
  if (typeof max === 'number') return max + 1;
  return /^-?\d+$/.test(max) ? BigInt(max) + 1n : max;
}

function bucketLine(bucket: Bucket): string {
  return `  ${bucketRange(bucket)} ${bucket.count}`;
}

export function isHistogram(value: unknown): value is Bucket[] {
  return Array.isArray(value) && value.every(bucket => isRecord(bucket) && 'count' in bucket);
}

/** A time series of 0.24 and later. */
function isSeries(value: unknown): value is { interval_start: string; value: unknown }[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(slot => isRecord(slot) && 'interval_start' in slot && 'value' in slot)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStatistics(value: Record<string, unknown>): boolean {
  return 'count' in value && 'average' in value && 'total' in value;
}

function statistics(value: Record<string, unknown>): string {
  return `count ${value.count}, average ${value.average}, total ${value.total}`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Number, or the sum of a histogram's or statistics' counts. */
function weight(value: unknown): number {
  if (isHistogram(value)) return value.reduce((sum, bucket) => sum + Number(bucket.count), 0);
  if (isRecord(value)) return Number(value.count) || 0;
  return Number(value) || 0;
}
