import type { Bounds, Histogram, KeyPart, MapValue, TypedMap } from '../contract/map.js';
import { isFrames, isHistogram, isSeries, isStatistics } from '../contract/map-values.js';

/** Entries of one map shown as text, the largest first. */
const ENTRIES_SHOWN = 20;

/** One map in compact lines: `@n: 20`, an entry a line, the buckets of a histogram in one line. */
export function mapLines(map: TypedMap, shown = ENTRIES_SHOWN): string[] {
  const { name, entries, omitted } = map;
  if (!entries) return [`${name}: ${valueText(map.value ?? null)}`];
  const lines = entries
    .slice(0, shown)
    .map(({ key, value }) => `${name}[${keyText(key)}]: ${valueText(value)}`);
  const rest = entries.length - shown;
  if (rest > 0) lines.push(`${name}: ${rest} smaller entries not shown here`);
  if (omitted) {
    const sum = omitted.sum === undefined ? '' : `, together ${omitted.sum}`;
    lines.push(`${name}: ${omitted.entries} smaller entries not shown${sum}`);
  }
  return lines;
}

export function keyText(key: readonly KeyPart[]): string {
  return key.map(part => (Array.isArray(part) ? framesText(part) : String(part))).join(', ');
}

export function valueText(value: MapValue): string {
  if (isHistogram(value)) return histogramText(value);
  if (isStatistics(value)) return `count ${value.count}, average ${value.average}, total ${value.total}`;
  if (isFrames(value)) return framesText(value);
  if (isSeries(value)) return value.map(point => `${point.at} ${point.value}`).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function framesText(frames: { symbol: string; offset?: number | undefined }[]): string {
  return frames
    .map(({ symbol, offset }) => (offset === undefined ? symbol : `${symbol}+${offset}`))
    .join(' < ');
}

function histogramText({ count, p50, p90, p99, buckets }: Histogram): string {
  if (!p50 || !p90 || !p99) return 'n=0';
  const all = buckets.map(([lower, upper, n]) => `${boundsText([lower, upper])}:${n}`).join(' ');
  return `n=${count} p50 ${boundsText(p50)} p90 ${boundsText(p90)} p99 ${boundsText(p99)} | ${all}`;
}

/** `[4,8)`; a missing bound is open; a single value stands alone. */
export function boundsText([lower, upper]: Bounds): string {
  if (isSingle([lower, upper])) return String(lower);
  return `${lower === null ? '(..' : `[${lower}`},${upper ?? '..'})`;
}

export function isSingle([lower, upper]: Bounds): boolean {
  return typeof lower === 'number' && upper === lower + 1;
}
