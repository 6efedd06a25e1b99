import type { FoundProbes, PageStart } from '../../src/contract/probes.js';
import type { ProbeList } from './probe-list.js';

/** What matches a filter, in the order in which it is shown. */
export interface Matches {
  ids: Uint32Array;
  /** By name; else by relevance. */
  sorted: boolean;
  /** Write this provider instead of the listed one. */
  rename?: string;
  /** None has all the words that were asked for: these have most. */
  loose?: boolean;
}

interface Page {
  limit: number;
  start: PageStart | undefined;
  generation: number;
}

export function pageOf(list: ProbeList, matches: Matches, { limit, start, generation }: Page): FoundProbes {
  const { ids } = matches;
  const begin = start ? placeAfter(list, matches, start, generation) : 0;
  const names = Array.from(ids.subarray(begin ?? 0, (begin ?? 0) + limit), id => nameOf(list, matches, id));
  return {
    names: begin === undefined ? [] : names,
    total: ids.length,
    totals: totalsOf(list, matches),
    ...(ids.length === list.names.length && { groups: groupsOf(list) }),
    offset: begin ?? 0,
    generation,
    ...(matches.loose && { loose: true }),
    ...(begin === undefined && { lost: true }),
  };
}

function nameOf(list: ProbeList, { rename }: Matches, id: number): string {
  const name = list.names[id] ?? '';
  return rename === undefined ? name : rename + name.slice(name.indexOf(':'));
}

/** Where the next page begins. In a list that was made anew, sorted matches go on behind the last name. */
function placeAfter(
  list: ProbeList,
  matches: Matches,
  { after, offset, generation }: PageStart,
  current: number,
): number | undefined {
  const { ids, sorted } = matches;
  if (generation === current && offset > 0 && offset <= ids.length) {
    const last = ids[offset - 1];
    if (last !== undefined && nameOf(list, matches, last) === after) return offset;
  }
  if (!sorted) {
    const place = ids.findIndex(id => list.names[id] === after);
    return place < 0 ? undefined : place + 1;
  }
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (nameOf(list, matches, ids[middle] ?? 0) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function totalsOf(list: ProbeList, { ids, rename }: Matches): Record<string, number> {
  const counts = new Map<string, number>();
  if (rename !== undefined && ids.length > 0) counts.set(rename, ids.length);
  else if (ids.length === list.names.length)
    for (const { provider, begin, end } of list.providers) counts.set(provider, end - begin);
  else {
    const byPlace = new Uint32Array(list.providers.length);
    for (const id of ids) {
      const place = list.providerAt(id);
      byPlace[place] = (byPlace[place] ?? 0) + 1;
    }
    for (const [place, count] of byPlace.entries())
      if (count > 0) counts.set(list.providers[place]?.provider ?? '', count);
  }
  return largestFirst(counts);
}

const groupsKept = new WeakMap<ProbeList, Record<string, number>>();

/** Tracepoints by group. */
function groupsOf(list: ProbeList): Record<string, number> {
  let groups = groupsKept.get(list);
  if (!groups) {
    const counts = new Map<string, number>();
    for (const { provider, begin, end } of list.providers) {
      if (provider !== 'tracepoint') continue;
      for (const name of list.names.slice(begin, end)) {
        const group = name.split(':', 2)[1] ?? '';
        counts.set(group, (counts.get(group) ?? 0) + 1);
      }
    }
    groups = largestFirst(counts);
    groupsKept.set(list, groups);
  }
  return groups;
}

function largestFirst(counts: Map<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
