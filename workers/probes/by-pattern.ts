import type { ProbePattern } from '../../src/contract/probes.js';
import { idsIn, type ProbeList, type ProviderRange } from './probe-list.js';
import { isWordCode, tokensOf } from './tokens.js';

/** The same probes under another name: bpftrace lists only the first of each pair, or calls it otherwise by version. */
const LISTED_AS: Record<string, readonly string[]> = {
  kretprobe: ['kprobe'],
  uretprobe: ['uprobe'],
  fentry: ['kfunc'],
  kfunc: ['fentry'],
  fexit: ['fentry', 'kfunc'],
  kretfunc: ['kfunc', 'fentry'],
};
/** To look for a part of a word goes through all words: in the time that so many characters take, one probe is looked at. */
const CHARACTERS_A_PROBE = 150;
/** More candidates than this part of a list, and looking at all of it is quicker than putting them in order. */
const WORTHWHILE = 1 / 8;

export interface PatternMatches {
  /** Ascending. */
  ids: Uint32Array;
  /** Write this provider instead of the listed one. */
  rename?: string;
}

/**
 * The probes that match a pattern. `*` stands for any characters, `:` included, as bpftrace has it; a function
 * without a module (`kprobe:nf_*`) is found in every module, an event without a group in every group.
 */
export function findByPattern(list: ProbeList, pattern: ProbePattern): PatternMatches {
  const { provider, rest } = pattern;
  if (provider === undefined) {
    const everywhere = { provider: '', begin: 0, end: list.names.length };
    return { ids: within(list, [everywhere], rest, true) };
  }
  const listedAs = listedKind(list, provider);
  const ranges = list.providers.filter(range => range.provider === listedAs);
  return {
    ids: within(list, ranges, rest, false),
    ...(listedAs !== provider && { rename: provider }),
  };
}

/** Whether there is any probe of a kind. */
export function hasKind(list: ProbeList, provider: string): boolean {
  return listedKind(list, provider) !== undefined;
}

function listedKind(list: ProbeList, provider: string): string | undefined {
  const names = [provider, ...(Object.hasOwn(LISTED_AS, provider) ? (LISTED_AS[provider] ?? []) : [])];
  return names.find(name => list.providers.some(range => range.provider === name));
}

/** @param whole the pattern may match the provider too */
function within(
  list: ProbeList,
  ranges: readonly ProviderRange[],
  pattern: string,
  whole: boolean,
): Uint32Array {
  const room = ranges.reduce((sum, { begin, end }) => sum + end - begin, 0);
  if (/^\*+$/.test(pattern)) return idsIn(ranges);
  const pieces = pattern.split(/\*+/);
  const matching: number[] = [];
  const look = (id: number): void => {
    if (matches(list.names[id] ?? '', pieces, whole)) matching.push(id);
  };
  const candidates = candidatesFor(list, pattern, room);
  if (candidates) {
    for (const id of candidates) if (ranges.some(({ begin, end }) => id >= begin && id < end)) look(id);
  } else {
    for (const { begin, end } of ranges) for (let id = begin; id < end; id++) look(id);
  }
  return Uint32Array.from(matching);
}

/** Whether a pattern, cut at its `*`, matches from the beginning of the name (`whole`) or from behind any `:` of it. */
function matches(name: string, pieces: readonly string[], whole: boolean): boolean {
  let from = whole ? 0 : name.indexOf(':') + 1;
  do {
    if (matchesFrom(name, pieces, from)) return true;
    from = name.indexOf(':', from) + 1;
  } while (from > 0);
  return false;
}

function matchesFrom(name: string, pieces: readonly string[], from: number): boolean {
  const [first = ''] = pieces;
  if (!name.startsWith(first, from)) return false;
  let at = from + first.length;
  if (pieces.length === 1) return at === name.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = pieces.at(-1) ?? '';
  return name.length - last.length >= at && name.endsWith(last);
}

/** The probes that have the rarest word of the pattern, ascending; undefined when that would be no gain. */
function candidatesFor(list: ProbeList, pattern: string, room: number): Uint32Array | undefined {
  let best: { tokens: number[]; probes: number } | undefined;
  for (const part of partsOf(pattern).sort((a, b) => Number(isOpen(a)) - Number(isOpen(b)))) {
    if (best && isOpen(part) && best.probes * CHARACTERS_A_PROBE < list.wordCharacters) break;
    const tokens = list.tokensHolding(part.text, part.closed);
    const probes = tokens.reduce((sum, token) => sum + list.probesWith(token).length, 0);
    if (!best || probes < best.probes) best = { tokens, probes };
  }
  if (!best || best.probes > room * WORTHWHILE) return undefined;
  const [only, ...others] = best.tokens;
  if (only === undefined) return new Uint32Array();
  if (others.length === 0) return list.probesWith(only);
  const all = new Uint32Array(best.probes);
  let next = 0;
  for (const token of best.tokens) {
    const probes = list.probesWith(token);
    all.set(probes, next);
    next += probes.length;
  }
  return all.sort().filter((id, place) => id !== all[place - 1]);
}

interface Part {
  text: string;
  /** Whether a word of the name must begin, or end, where this one does. */
  closed: { left: boolean; right: boolean };
}

function isOpen({ closed }: Part): boolean {
  return !closed.left || !closed.right;
}

/** The words of a pattern, each with what is known of its ends: next to a `*` a word may go on. */
function partsOf(pattern: string): Part[] {
  const pieces = pattern.split(/\*+/);
  return pieces.flatMap((piece, place) => {
    const texts = tokensOf(piece);
    const openLeft = place > 0 && isWordCode(piece.charCodeAt(0));
    const openRight = place < pieces.length - 1 && isWordCode(piece.charCodeAt(piece.length - 1));
    return texts.map((text, i) => ({
      text,
      closed: { left: i > 0 || !openLeft, right: i < texts.length - 1 || !openRight },
    }));
  });
}
