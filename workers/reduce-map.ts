/**
 * Bounds one map's JSON in bytes by keeping the entries with the largest values and counting the rest.
 *
 * Values are never parsed into numbers on their way through: an entry that stays keeps bpftrace's own
 * digits (a double would round integers above 2^53).
 */
interface Reduced {
  json: string;
  omittedEntries: number;
}

/** A map whose value has no entries to choose from (one huge string) is replaced by this. */
const NOTHING_KEPT: Record<string, string> = { '{': '{}', '[': '[]' };

export function reduceMap(json: string, bytesMax: number, alreadyOmitted = 0): Reduced {
  if (json.length <= bytesMax && Buffer.byteLength(json) <= bytesMax)
    return { json, omittedEntries: alreadyOmitted };
  const open = json[0] ?? '';
  const empty = NOTHING_KEPT[open];
  if (empty === undefined) return { json: 'null', omittedEntries: alreadyOmitted + 1 };
  const entries = splitEntries(json);
  // Buckets of one histogram have an order of their own and no ranking; keyed entries are ranked.
  const ranked = entries.map((entry, index) => ({ entry, index, rank: open === '{' ? rank(entry) : 0 }));
  ranked.sort((a, b) => b.rank - a.rank);
  // By place, since two entries may read alike.
  const kept = new Set<number>();
  let bytes = empty.length;
  for (const { entry, index } of ranked) {
    bytes += Buffer.byteLength(entry) + 2;
    if (bytes > bytesMax) break;
    kept.add(index);
  }
  const body = entries.filter((_entry, index) => kept.has(index)).join(', ');
  return {
    json: `${open}${body}${empty[1]}`,
    omittedEntries: alreadyOmitted + entries.length - kept.size,
  };
}

/** The members of a JSON object or array as they are written, without the separators. */
function splitEntries(json: string): string[] {
  const entries: string[] = [];
  let depth = 0;
  let start = 1;
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/gs;
  for (let match = token.exec(json); match; match = token.exec(json)) {
    const text = match[0];
    if (text === '{' || text === '[') depth++;
    else if (text === '}' || text === ']') depth--;
    if ((text === ',' && depth === 1) || depth === 0) {
      const entry = json.slice(start, match.index).trim();
      if (entry !== '') entries.push(entry);
      start = match.index + 1;
    }
    if (depth === 0) break;
  }
  return entries;
}

/** What an entry weighs: its number, or the sum of the counts in its histogram or statistics. */
function rank(entry: string): number {
  const value = entry.slice(/^"[^"\\]*(?:\\.[^"\\]*)*": ?/s.exec(entry)?.[0].length ?? 0);
  if (value[0] !== '[' && value[0] !== '{') return Number.parseFloat(value) || 0;
  let sum = 0;
  for (const [, digits] of value.matchAll(/"count": (\d+)/g)) sum += Number(digits);
  return sum;
}
