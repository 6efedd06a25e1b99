import type { ProbeList } from './probe-list.js';
import { tokensOf } from './tokens.js';

/** Names that share the most with the one asked for are compared letter by letter; more would cost more than 1 ms. */
const COMPARED = 200;
/** Of 1, which is the same name: what shares less is no help. */
const ALIKE_MIN = 0.72;
/** For the same provider, on top. */
const SAME_PROVIDER = 0.05;

/**
 * The probes whose names are nearest to one that doesn't exist, best first: the same event of another
 * provider, the same words in another order, or a slip of the pen.
 */
export function nearestTo(list: ProbeList, name: string, limit: number): string[] {
  const colon = name.indexOf(':');
  const provider = name.slice(0, Math.max(colon, 0));
  const body = bodyOf(name.replaceAll('*', ''));
  const scores = new Float32Array(list.names.length);
  for (const token of new Set(tokensOf(body))) {
    for (const { id, alike } of tokensLike(list, token)) {
      const probes = list.probesWith(id);
      const weight = alike * Math.log(1 + list.names.length / probes.length);
      for (const probe of probes)
        scores[probe] = (scores[probe] ?? 0) + weight / Math.sqrt(list.lengths[probe] ?? 1);
    }
  }
  const shortlist = best(scores, COMPARED).map(probe => ({ name: list.names[probe] ?? '' }));
  const ranked = shortlist
    .map(({ name: other }) => ({
      other,
      alike:
        Math.max(likeness(body, bodyOf(other)), sameWords(body, bodyOf(other))) +
        (other.startsWith(`${provider}:`) ? SAME_PROVIDER : 0),
    }))
    .filter(({ alike }) => alike >= ALIKE_MIN)
    .sort((a, b) => b.alike - a.alike || (a.other < b.other ? -1 : 1));
  return ranked.slice(0, limit).map(({ other }) => other);
}

/** Those of some names that are alike enough to one, letter by letter, the nearest first. */
export function nearestNames(name: string, others: Iterable<string>): string[] {
  const found: { other: string; alike: number }[] = [];
  for (const other of others) {
    const alike = likeness(name, other);
    if (alike >= ALIKE_MIN) found.push({ other, alike });
  }
  return found.sort((a, b) => b.alike - a.alike || (a.other < b.other ? -1 : 1)).map(({ other }) => other);
}

/** The places of the largest values above 0, the largest first. */
function best(values: Float32Array, count: number): number[] {
  const floor = Float32Array.from(values).sort().at(-count) ?? 0;
  const places: number[] = [];
  for (const [place, value] of values.entries()) if (value > 0 && value >= floor) places.push(place);
  return places.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b).slice(0, count);
}

/** The event itself: without provider, and without the group or module before it. */
function bodyOf(name: string): string {
  return name.replace(/:$/, '').replace(/^.*:/, '').toLowerCase();
}

/** Words of the list that are a word, nearly. Each with its likeness, 0 to 1. */
export function tokensLike(list: ProbeList, token: string): { id: number; alike: number }[] {
  const exact = list.tokenId(token);
  if (exact !== undefined) return [{ id: exact, alike: 1 }];
  const slips = token.length <= 2 ? 0 : token.length <= 4 ? 1 : 2;
  const found: { id: number; alike: number }[] = [];
  for (let id = 0; id < list.tokenCount; id++) {
    const other = list.token(id);
    if (Math.abs(other.length - token.length) > slips) continue;
    const distance = editDistance(token, other, slips);
    if (distance <= slips)
      found.push({ id, alike: 1 - distance / (Math.max(token.length, other.length) + 1) });
  }
  return found;
}

/** The share of words that two names have in common, in any order; a little less than the same name. */
function sameWords(a: string, b: string): number {
  const words = new Set(tokensOf(a));
  const others = tokensOf(b);
  const both = others.filter(word => words.has(word)).length;
  return (0.95 * both) / Math.max(words.size, others.length, 1);
}

/** 1 for equal; 0 for what is too far to be worth counting. */
function likeness(a: string, b: string): number {
  const longer = Math.max(a.length, b.length, 1);
  const most = Math.floor(longer * (1 - ALIKE_MIN));
  if (Math.abs(a.length - b.length) > most) return 0;
  const distance = editDistance(a, b, most);
  return distance > most ? 0 : 1 - distance / longer;
}

/** Insertions, deletions, replacements and swaps of neighbours (Damerau, restricted); more than `most` is told as more. */
export function editDistance(a: string, b: string, most: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
