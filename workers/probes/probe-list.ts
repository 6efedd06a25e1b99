import { tokensOf } from './tokens.js';

/** Probes `begin` to `end` (exclusive) of a list have this provider. */
export interface ProviderRange {
  provider: string;
  begin: number;
  end: number;
}

/** All numbers in some ranges, ascending as these are. */
export function idsIn(ranges: readonly ProviderRange[]): Uint32Array {
  const ids = new Uint32Array(ranges.reduce((sum, { begin, end }) => sum + end - begin, 0));
  let next = 0;
  for (const { begin, end } of ranges) for (let id = begin; id < end; id++) ids[next++] = id;
  return ids;
}

/**
 * Probes, sorted, each once, with an inverted index of the words in their names: for each word the numbers of
 * the probes that have it. 150,000 names have some 30,000 different words, so a look at all words is a look at
 * a fraction of the text, and most questions come down to a few hundred probes.
 */
export class ProbeList {
  readonly names: readonly string[];
  /** In the order of `names`. */
  readonly providers: readonly ProviderRange[];
  /** Words of each name, counted. */
  readonly lengths: Uint8Array;
  private readonly tokenIds = new Map<string, number>();
  private readonly tokens: string[] = [];
  /** All words, a line break before and behind each: searched instead of 30,000 strings. */
  private readonly tokenText: string;
  /** Where each word begins in `tokenText`. */
  private readonly tokenStarts: Uint32Array;
  /** The probes of word `t` stand in `postings` from `postingStarts[t]` to `postingStarts[t + 1]`. */
  private readonly postingStarts: Uint32Array;
  private readonly postings: Uint32Array;

  /** @param names in any order, repeated or not */
  constructor(names: readonly string[]) {
    this.names = [...new Set(names)].sort();
    this.providers = providersOf(this.names);
    this.lengths = new Uint8Array(this.names.length);
    const counts: number[] = [];
    const tokensOfNames: number[][] = this.names.map((name, id) => {
      // A handful: a Set for each of 150,000 names would take longer than looking.
      const own: number[] = [];
      for (const text of tokensOf(name)) {
        const token = this.numberOf(text);
        if (own.includes(token)) continue;
        own.push(token);
        counts[token] = (counts[token] ?? 0) + 1;
      }
      this.lengths[id] = Math.min(own.length, 255);
      return own;
    });
    this.postingStarts = new Uint32Array(this.tokens.length + 1);
    for (const [token, count] of counts.entries())
      this.postingStarts[token + 1] = (this.postingStarts[token] ?? 0) + count;
    const next = this.postingStarts.slice();
    this.postings = new Uint32Array(this.postingStarts.at(-1) ?? 0);
    for (const [id, own] of tokensOfNames.entries()) {
      for (const token of own) {
        const place = next[token] ?? 0;
        this.postings[place] = id;
        next[token] = place + 1;
      }
    }
    this.tokenText = `\n${this.tokens.join('\n')}\n`;
    this.tokenStarts = new Uint32Array(this.tokens.length);
    let start = 1;
    for (const [token, text] of this.tokens.entries()) {
      this.tokenStarts[token] = start;
      start += text.length + 1;
    }
  }

  get tokenCount(): number {
    return this.tokens.length;
  }

  /** How much there is to go through to find a part of a word. */
  get wordCharacters(): number {
    return this.tokenText.length;
  }

  token(id: number): string {
    return this.tokens[id] ?? '';
  }

  tokenId(token: string): number | undefined {
    return this.tokenIds.get(token);
  }

  /** The probes whose names have the word, ascending. */
  probesWith(token: number): Uint32Array {
    return this.postings.subarray(this.postingStarts[token], this.postingStarts[token + 1]);
  }

  /** The words that hold `text`; those that begin or end with it where that end is closed. */
  tokensHolding(text: string, closed: { left: boolean; right: boolean }): number[] {
    if (closed.left && closed.right) {
      const id = this.tokenIds.get(text);
      return id === undefined ? [] : [id];
    }
    const wanted = `${closed.left ? '\n' : ''}${text}${closed.right ? '\n' : ''}`;
    const found: number[] = [];
    let at = this.tokenText.indexOf(wanted);
    while (at >= 0) {
      const token = lastAtOrBefore(this.tokenStarts, closed.left ? at + 1 : at);
      found.push(token);
      const next = this.tokenStarts[token + 1];
      // Each word once. The line break before the next word may be the one that it begins with.
      at = next === undefined ? -1 : this.tokenText.indexOf(wanted, next - 1);
    }
    return found;
  }

  /** A probe's number. */
  idOf(name: string): number | undefined {
    let low = 0;
    let high = this.names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return this.names[low] === name ? low : undefined;
  }

  /** A provider's place in `providers`. */
  providerAt(id: number): number {
    let place = 0;
    while (id >= (this.providers[place]?.end ?? Number.POSITIVE_INFINITY)) place++;
    return place;
  }

  private numberOf(token: string): number {
    let id = this.tokenIds.get(token);
    if (id === undefined) {
      id = this.tokens.length;
      this.tokens.push(token);
      this.tokenIds.set(token, id);
    }
    return id;
  }
}

/** The index of the last value that is at most `value`. @param sorted ascending, its first at most `value` */
function lastAtOrBefore(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

function providersOf(names: readonly string[]): ProviderRange[] {
  const ranges: ProviderRange[] = [];
  for (const [id, name] of names.entries()) {
    const provider = name.slice(0, name.indexOf(':'));
    const last = ranges.at(-1);
    if (last?.provider === provider) last.end = id + 1;
    else ranges.push({ provider, begin: id, end: id + 1 });
  }
  return ranges;
}
