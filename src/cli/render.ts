import type { Bucket, TypedMap } from '../contract/map.js';
import { isHistogram } from '../contract/map-values.js';
import { mapLines } from '../results/map-text.js';
import { isSingle, keyText } from '../results/value-text.js';

const BAR_CHARACTERS = 50;

/** A map as a person reads it: everything in it, histograms as bars. */
export function renderMap(map: TypedMap): string[] {
  const { name, value, entries = [] } = map;
  if (isHistogram(value)) return [`${name}:`, ...bars(value.buckets), ''];
  if (!isHistogram(entries[0]?.value)) return [...mapLines(map, Number.POSITIVE_INFINITY), ''];
  const drawn = entries.flatMap(entry =>
    isHistogram(entry.value) ? [`${name}[${keyText(entry.key)}]:`, ...bars(entry.value.buckets)] : [],
  );
  return [...drawn, ''];
}

function bars(buckets: Bucket[]): string[] {
  const largest = Math.max(1, ...buckets.map(([, , count]) => Number(count)));
  const ranges = buckets.map(rangeText);
  const width = Math.max(...ranges.map(range => range.length));
  const digits = Math.max(...buckets.map(([, , count]) => String(count).length));
  return buckets.map(([, , count], i) => {
    const bar = '@'.repeat(Math.round((Number(count) / largest) * BAR_CHARACTERS));
    return `${(ranges[i] ?? '').padEnd(width)} ${String(count).padStart(digits)} |${bar.padEnd(BAR_CHARACTERS)}|`;
  });
}

function rangeText([lower, upper]: Bucket): string {
  if (isSingle([lower, upper])) return `[${lower}]`;
  return `${lower === null ? '(...' : `[${lower}`}, ${upper ?? '...'})`;
}
