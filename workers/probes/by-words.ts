import { tokensLike } from './nearest.js';
import type { ProbeList } from './probe-list.js';
import { tokensOf } from './tokens.js';
import { CONCEPTS, LESS_LIKELY, PROVIDER_WEIGHTS, STOP_WORDS, WORD_FORMS } from './vocabulary.js';

export interface WordMatches {
  /** The best first. */
  ids: Uint32Array;
  /** No probe has all the words: these have most of them. */
  loose: boolean;
}

/** What a probe found by a concept is worth: more than the rarest word of any list. */
const NAMED_SCORE = 16;
/** Of one probe of a concept to the next. */
const NAMED_STEP = 0.5;
/** What is left of a word's weight where it is only a part of the name's word. */
const BEGINS = 0.75;
const INSIDE = 0.5;
const OTHER_FORM = 0.8;
const MISSPELT = 0.5;
/** Shorter words are inside too many others. */
const BEGINS_LENGTH = 3;
const INSIDE_LENGTH = 4;
/** Off for each word of the name beyond what any name has. */
const LENGTH_DISCOUNT = 0.04;

/** One thing that is asked for: a word, or a concept of several (`context switch`). Each probe's score for it. */
type Unit = Map<number, number>;

/**
 * The probes that have every word of a question, in any order, the most relevant first: rare words count more,
 * whole words more than parts, what a person calls a thing finds what the kernel calls it, and among equals a
 * tracepoint stands before the function it is called from. When no probe has all the words, those with the most.
 */
export function findByWords(list: ProbeList, text: string): WordMatches {
  const { words, providers } = questionOf(text);
  return rank(list, unitsOf(list, words, false), providers);
}

/** The probes nearest to a question that none answers: misspelt words are guessed. Best first. */
export function guessByWords(list: ProbeList, text: string, limit: number): string[] {
  const { words } = questionOf(text);
  const { ids } = rank(list, unitsOf(list, words, true), new Set());
  return Array.from(ids.subarray(0, limit), id => list.names[id] ?? '');
}

function questionOf(text: string): { words: string[]; providers: Set<string> } {
  const all = [...new Set(tokensOf(text))];
  const providers = new Set<string>();
  const words = all.filter(word => {
    const provider = word.replace(/s$/, '');
    const isProvider = provider in PROVIDER_WEIGHTS && provider !== 'software' && provider !== 'hardware';
    if (isProvider) providers.add(provider);
    return !isProvider && !STOP_WORDS.has(word);
  });
  return { words, providers };
}

function unitsOf(list: ProbeList, words: readonly string[], guess: boolean): Unit[] {
  const left = new Set(words);
  const units: Unit[] = [];
  for (const { when, probes } of CONCEPTS) {
    const used = when.map(wanted => [...left].find(word => isForm(word, wanted)));
    if (used.includes(undefined)) continue;
    const unit: Unit = both(used.map(word => unitOfWord(list, word ?? '')));
    for (const [place, name] of probes.entries()) {
      const id = list.idOf(name);
      if (id !== undefined) unit.set(id, NAMED_SCORE - place * NAMED_STEP + (unit.get(id) ?? 0) / 100);
    }
    units.push(unit);
    for (const word of used) left.delete(word ?? '');
  }
  for (const word of left) {
    const unit = unitOfWord(list, word);
    units.push(unit.size === 0 && guess ? unitOfMisspelt(list, word) : unit);
  }
  return units;
}

/** `switches` and `switching` are forms of `switch`. */
function isForm(word: string, wanted: string): boolean {
  return word === wanted || formsOf(word).includes(wanted);
}

function formsOf(word: string): string[] {
  const forms = new Set<string>();
  for (const ending of ['s', 'es', 'ed', 'ing', 'er', 'ers', 'd']) {
    if (!word.endsWith(ending) || word.length - ending.length < 3) continue;
    const stem = word.slice(0, -ending.length);
    forms.add(stem);
    if (ending === 'ing' || ending === 'er') forms.add(`${stem}e`);
    // dropped, running
    if (stem.length > 3 && stem.at(-1) === stem.at(-2)) forms.add(stem.slice(0, -1));
  }
  if (word.endsWith('ies')) forms.add(`${word.slice(0, -3)}y`);
  return [...forms];
}

function unitOfWord(list: ProbeList, word: string): Unit {
  const unit: Unit = new Map();
  // Weaker ways first: a better one overwrites.
  if (word.length >= INSIDE_LENGTH) add(list, unit, list.tokensHolding(word, OPEN), INSIDE);
  const others = [...formsOf(word), ...(WORD_FORMS[word] ?? [])];
  for (const form of others.flatMap(other => [other, ...(WORD_FORMS[other] ?? [])]))
    add(list, unit, list.tokensHolding(form, CLOSED), OTHER_FORM);
  for (const beginning of [word, ...formsOf(word)])
    if (beginning.length >= BEGINS_LENGTH) add(list, unit, list.tokensHolding(beginning, BEGINNING), BEGINS);
  add(list, unit, list.tokensHolding(word, CLOSED), 1);
  return unit;
}

const OPEN = { left: false, right: false };
const BEGINNING = { left: true, right: false };
const CLOSED = { left: true, right: true };

function unitOfMisspelt(list: ProbeList, word: string): Unit {
  const unit: Unit = new Map();
  for (const { id, alike } of tokensLike(list, word)) add(list, unit, [id], MISSPELT * alike);
  return unit;
}

function add(list: ProbeList, unit: Unit, tokens: readonly number[], weight: number): void {
  for (const token of tokens) {
    const probes = list.probesWith(token);
    const score = weight * Math.log(1 + list.names.length / probes.length);
    for (const id of probes) if (score > (unit.get(id) ?? 0)) unit.set(id, score);
  }
}

function both(units: readonly Unit[]): Unit {
  const [first = new Map<number, number>(), ...others] = units;
  const unit: Unit = new Map();
  for (const [id, score] of first) {
    let sum = score;
    for (const other of others) sum += other.get(id) ?? Number.NEGATIVE_INFINITY;
    if (sum > 0) unit.set(id, sum);
  }
  return unit;
}

function rank(list: ProbeList, units: readonly Unit[], providers: ReadonlySet<string>): WordMatches {
  const places = list.providers.map(({ provider }) => ({
    weight: PROVIDER_WEIGHTS[provider] ?? 1,
    wanted: providers.size === 0 || providers.has(provider),
  }));
  if (units.length === 0) {
    const wanted = list.providers.filter(({ provider }) => providers.has(provider));
    const ids = wanted.flatMap(({ begin, end }) => Array.from({ length: end - begin }, (_, i) => begin + i));
    return { ids: Uint32Array.from(ids), loose: false };
  }
  const scores = new Map<number, number>();
  const had = new Map<number, number>();
  for (const unit of units) {
    for (const [id, score] of unit) {
      scores.set(id, (scores.get(id) ?? 0) + score);
      had.set(id, (had.get(id) ?? 0) + 1);
    }
  }
  let most = 0;
  for (const [id, count] of had) if (places[list.providerAt(id)]?.wanted) most = Math.max(most, count);
  const ranked: { id: number; score: number }[] = [];
  for (const [id, count] of had) {
    const place = places[list.providerAt(id)];
    if (count < most || !place?.wanted) continue;
    const discount = 1 + LENGTH_DISCOUNT * (list.lengths[id] ?? 0);
    const likely = LESS_LIKELY.test(list.names[id] ?? '') ? 0.95 : 1;
    ranked.push({ id, score: ((scores.get(id) ?? 0) * place.weight * likely) / discount });
  }
  // Numbers of probes are in the order of their names.
  ranked.sort((a, b) => b.score - a.score || a.id - b.id);
  return { ids: Uint32Array.from(ranked, ({ id }) => id), loose: most > 0 && most < units.length };
}
