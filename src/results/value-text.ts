import type {
  Bounds,
  Bucket,
  Frame,
  Histogram,
  Integer,
  KeyPart,
  MapValue,
  SeriesPoint,
} from '../contract/map.js';
import { isFrames, isHistogram, isRecord, isSeries, isStatistics } from '../contract/map-values.js';

/**
 * Values and keys of maps in as few bytes as say everything. Stacks go from the innermost frame outwards:
 * `vfs_read+12 < ksys_read`. Of a histogram each bucket that holds something is told by its lower bound, and by
 * both where the upper one does not follow (from the doubling of hist(), or from the step that is told):
 *
 *   n=3 in 4K-8K
 *   n=120 p50=4K-8K p90,p99=8K-16K | 4K:100 8K:20
 *   n=4 p50=50-60 p90,p99=>=100 | step 10 <0:1 50:2 >=100:1
 */
export function valueText(value: MapValue): string {
  if (isHistogram(value)) return histogramText(value);
  if (isStatistics(value)) return `n=${value.count} average ${value.average} total ${value.total}`;
  if (isSeries(value)) return seriesText(value);
  return typeof value === 'string' ? partText(value, 1) : memberText(value);
}

export function keyText(key: readonly KeyPart[]): string {
  return key
    .map(part => (typeof part === 'string' ? partText(part, key.length) : memberText(part)))
    .join(', ');
}

/** A member of a tuple or structure, or a value that is one. */
function memberText(value: unknown): string {
  if (isFrames(value)) return value.map(frameText).join(' < ');
  if (Array.isArray(value)) return `(${value.map(memberText).join(', ')})`;
  if (!isRecord(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) => `.${name} = ${memberText(field)}`);
  return `{ ${fields.join(', ')} }`;
}

/** In quotes where it might be taken for something else. */
function partText(text: string, parts: number): string {
  const isPlain = text !== '' && text.trim() === text && (parts === 1 || !text.includes(','));
  return isPlain ? lineText(text) : JSON.stringify(text);
}

/** Text of one line: in quotes and escaped where it has more. */
function lineText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them.
  return /[\x00-\x1f]/.test(text) ? JSON.stringify(text) : text;
}

function frameText({ symbol, offset, module, address }: Frame): string {
  const where = module === undefined ? '' : ` (${module})`;
  const name = `${symbol}${offset === undefined ? '' : `+${offset}`}${where}`;
  return address === undefined || address === symbol ? name : `${address} ${name}`;
}

/** The day is told once, and only the digits of a second that are not 0. */
function seriesText(points: readonly SeriesPoint[]): string {
  let day = '';
  const told = points.map(({ at, value }) => {
    const [date = '', time = ''] = at.replace(/\.?0+$/, '').split(' ');
    const when = date === day ? time : `${date} ${time}`;
    day = date;
    return `${when}: ${value}`;
  });
  return told.join(', ');
}

function histogramText({ count, p50, p90, p99, buckets }: Histogram): string {
  if (!p50 || !p90 || !p99) return 'n=0';
  const [only] = buckets;
  if (only && buckets.length === 1) return `n=${count} in ${boundsText(only)}`;
  const step = stepOf(buckets);
  const told = buckets.map(
    bucket => `${step === undefined ? boundsText(bucket) : lowerText(bucket)}:${bucket[2]}`,
  );
  const steps = typeof step === 'number' ? `step ${step} ` : '';
  return `n=${count} ${percentilesText([p50, p90, p99])} | ${steps}${told.join(' ')}`;
}

function percentilesText(bounds: readonly Bounds[]): string {
  const groups: { names: string[]; text: string }[] = [];
  for (const [i, name] of ['p50', 'p90', 'p99'].entries()) {
    const text = boundsText(bounds[i] ?? [null, null]);
    const last = groups.at(-1);
    if (last?.text === text) last.names.push(name);
    else groups.push({ names: [name], text });
  }
  return groups.map(({ names, text }) => `${names.join(',')}=${text}`).join(' ');
}

/** What gives the upper bounds from the lower ones: doubling, or a step; undefined where neither does. */
function stepOf(buckets: readonly Bucket[]): 'doubling' | number | undefined {
  const closed = buckets.filter(([lower, upper]) => lower !== null && upper !== null);
  const isDouble = ([lower, upper]: Bucket): boolean =>
    Number(lower) === 0 ? upper === 1 : Number(upper) === 2 * Number(lower);
  if (closed.every(isDouble)) return 'doubling';
  const [first] = closed;
  const width = Number(first?.[1]) - Number(first?.[0]);
  return closed.every(([lower, upper]) => Number(upper) - Number(lower) === width) ? width : undefined;
}

function lowerText([lower, upper]: Bucket): string {
  return lower === null || upper === null ? boundsText([lower, upper]) : unitText(lower);
}

/** `4K-8K` for 4096 <= x < 8192; `<0`, `>=100`; a single value stands alone. */
export function boundsText([lower, upper]: Bounds | Bucket): string {
  if (lower === null) return upper === null ? 'any' : `<${unitText(upper)}`;
  if (upper === null) return `>=${unitText(lower)}`;
  return isSingle([lower, upper]) ? unitText(lower) : `${unitText(lower)}-${unitText(upper)}`;
}

export function isSingle([lower, upper]: Bounds): boolean {
  return typeof lower === 'number' && upper === lower + 1;
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** As bpftrace writes bounds: K is 1024, and only what it divides is told in it. */
function unitText(bound: Integer): string {
  if (!/^-?\d+$/.test(String(bound))) return String(bound);
  let value = BigInt(bound);
  let unit = 0;
  while (value !== 0n && value % 1024n === 0n && unit < UNITS.length - 1) {
    value /= 1024n;
    unit++;
  }
  return `${value}${UNITS[unit]}`;
}
