import { bucketRange, isHistogram, mapLines } from '../results/map-text.js';
import type { Result } from '../results/result.js';

const BAR_CHARACTERS = 50;

/** A map as a person reads it: everything in it, histograms as bars. */
export function renderMap(map: Result['maps'][number]): string[] {
  return [...renderValue(map.name, map.value, map), ''];
}

function renderValue(name: string, value: unknown, map: Result['maps'][number]): string[] {
  if (isHistogram(value)) return [`${name}:`, ...bars(value)];
  const keyed = typeof value === 'object' && value !== null && Object.values(value).some(isHistogram);
  if (keyed)
    return Object.entries(value).flatMap(([key, entry]) => renderValue(`${name}[${key}]`, entry, map));
  return mapLines({ ...map, name, value }, Number.POSITIVE_INFINITY);
}

function bars(buckets: Parameters<typeof bucketRange>[0][]): string[] {
  const largest = Math.max(1, ...buckets.map(bucket => Number(bucket.count)));
  const ranges = buckets.map(bucketRange);
  const width = Math.max(...ranges.map(range => range.length));
  const digits = Math.max(...buckets.map(bucket => String(bucket.count).length));
  return buckets.map((bucket, i) => {
    const bar = '@'.repeat(Math.round((Number(bucket.count) / largest) * BAR_CHARACTERS));
    return `${(ranges[i] ?? '').padEnd(width)} ${String(bucket.count).padStart(digits)} |${bar.padEnd(BAR_CHARACTERS)}|`;
  });
}
