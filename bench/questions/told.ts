import { type Entry, parsePlain } from './plain-text.js';

/** What has less than this share of the largest count beside it may be missing in another run. */
const RARE = 0.1;

/**
 * What bpftrace told of the culprits that the server did not: the two are runs of their own, so numbers differ, and
 * what is compared is each key and line of the culprits with numbers put aside, each stack, and that each of their
 * histograms has its bulk in the same place.
 * @param ours texts of the server's replies; @param plain standard output of bpftrace
 */
export function missingFrom(ours: string, plain: string, culprits: readonly string[]): string[] {
  const { entries, lines } = parsePlain(plain);
  const isAbout = (text: string): boolean => culprits.some(name => text.includes(name));
  const missing: string[] = [];
  for (const map of new Set(entries.map(entry => entry.map))) {
    const told = entriesOf(ours, map);
    const expected = entries.filter(
      ({ map: its, key, symbols }) => its === map && (key === '' || symbols.length > 0 || isAbout(key)),
    );
    const most = Math.max(...expected.map(weightOf));
    for (const entry of expected) {
      if (weightOf(entry) >= RARE * most && !isTold(entry, told)) missing.push(labelOf(entry));
    }
  }
  const shapes = new Set(ours.split('\n').map(shapeOf));
  const printed = new Map<string, number>();
  for (const line of lines.filter(isAbout).map(shapeOf)) printed.set(line, (printed.get(line) ?? 0) + 1);
  const most = Math.max(...printed.values());
  for (const [line, times] of printed)
    if (times >= RARE * most && !shapes.has(line)) missing.push(`told by bpftrace only: ${line}`);
  return missing;
}

function isTold({ key, symbols, buckets }: Entry, told: readonly string[]): boolean {
  if (symbols.length > 0) return told.some(line => withoutOffsets(line).includes(symbols.join(' < ')));
  const its = key === '' ? told : told.filter(line => shapeOf(line).startsWith(shapeOf(`${key}: `)));
  const most = Math.max(...buckets.map(({ count }) => count));
  const bulk = buckets.filter(({ count }) => count >= most / 2);
  return its.some(line => bulk.length === 0 || bulk.some(({ lower }) => hasBucket(line, lower)));
}

function weightOf({ value, buckets }: Entry): number {
  if (buckets.length > 0) return buckets.reduce((sum, { count }) => sum + count, 0);
  return Number(value) || 0;
}

function labelOf({ map, key, symbols, buckets }: Entry): string {
  const of = symbols.length > 0 ? symbols.join(' < ') : key;
  return `told by bpftrace only: ${map}[${of}] ${buckets.map(({ lower, count }) => `${lower}:${count}`).join(' ')}`;
}

/** Entries of one map in a reply: `key: value` each, or the value alone. */
function entriesOf(text: string, map: string): string[] {
  const found: string[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    const rest = /^[:[]/.test(line.slice(map.length)) && line.startsWith(map) && line.slice(map.length);
    if (rest) {
      if (rest.startsWith('[')) found.push(rest.slice(1).replace(']: ', ': '));
      else if (/^: [^(]/.test(rest)) found.push(rest.slice(2));
    } else if (inside && line.startsWith(' ')) found.push(line.slice(1));
    inside = Boolean(rest) || (inside && line.startsWith(' '));
  }
  return found;
}

/** As `n=3 in 4K-8K` or `… | 4K:100 8K:20`. */
function hasBucket(line: string, lower: string): boolean {
  return (
    `${line} `.includes(` ${lower}:`) || ['-', ' '].some(end => `${line} `.includes(` in ${lower}${end}`))
  );
}

function shapeOf(text: string): string {
  return text.replace(/\d+/g, '#');
}

function withoutOffsets(text: string): string {
  return text.replace(/\+\d+/g, '');
}
