import { tokensLike } from './nearest.js';
import { idsIn, type ProbeList } from './probe-list.js';
import { formsOf, isForm, type Question, questionOf } from './question.js';
import {
  COMMON_GROUPS,
  CONCEPTS,
  LESS_LIKELY,
  PROVIDER_WEIGHTS,
  STOP_WORDS,
  WORD_FORMS,
} from './vocabulary.js';

export interface WordMatches {
  /** The best first. */
  ids: Uint32Array;
  /** No probe has all the words: these have most of them. */
  loose: boolean;
  /** Of the words and concepts asked for, how many the matches have. */
  most: number;
}

/** What a probe found by a concept is worth: more than the rarest word of any list. */
const NAMED_SCORE = 16;
/** From one probe of a concept to the next. */
const NAMED_STEP = 0.5;
/** What is left of a word's weight where it is only a part of the name's word, or another form of it. */
const BEGINS = 0.75;
const INSIDE = 0.5;
const OTHER_FORM = 0.8;
const MISSPELT = 0.5;
/** Shorter words are parts of too many others. */
const BEGINS_LENGTH = 3;
const INSIDE_LENGTH = 4;
/** Shorter words are too near to each other. */
const GUESSED_LENGTH = 4;
/** For each word that a name has, since the shorter of two names is about less else. */
const LENGTH_DISCOUNT = 0.04;
const LESS_LIKELY_DISCOUNT = 0.95;
/** For tracepoints that most questions are about. */
const COMMON_GROUP_BONUS = 1.25;

/** One thing that is asked for, a word or a concept of several (`context switch`): what each probe is worth for it. */
type Unit = Map<number, number>;

/**
 * The probes that have every word of a question, in any order, the most relevant first: rare words count more,
 * whole words more than parts, what a person calls a thing finds what the kernel calls it, and among equals a
 * tracepoint stands before the function it is called from. When no probe has all the words, those with the most.
 */
export function findByWords(list: ProbeList, text: string): WordMatches {
  const question = questionOf(text);
  return rank(list, unitsOf(list, question, false), question);
}

/**
 * The probes nearest to a question that none answers in full, with misspelt words guessed; best first. Empty
 * when guessing gets no nearer.
 */
export function guessByWords(list: ProbeList, text: string, limit: number): string[] {
  const question = { ...questionOf(text), providers: new Set<string>() };
  const plain = rank(list, unitsOf(list, question, false), question);
  const guess = rank(list, unitsOf(list, question, true), question);
  if (guess.most <= plain.most) return [];
  return Array.from(guess.ids.subarray(0, limit), id => list.names[id] ?? '');
}

/** @param guess words that nothing has are taken for misspelt ones */
function unitsOf(list: ProbeList, { words, providers }: Question, guess: boolean): Unit[] {
  const left = new Set(words);
  const units: Unit[] = [];
  for (const { when, probes } of CONCEPTS) {
    const used = when.map(wanted => [...left].find(word => isForm(word, wanted)) ?? '');
    if (used.includes('')) continue;
    const unit = allOf(used.map(word => unitOf(list, word)));
    for (const [place, name] of probes.entries()) {
      const id = list.idOf(name);
      if (id !== undefined) unit.set(id, NAMED_SCORE - place * NAMED_STEP);
    }
    units.push(unit);
    for (const word of used) left.delete(word);
  }
  const telling = [...left].filter(word => !STOP_WORDS.has(word));
  const isAnswered = units.length > 0 || providers.size > 0;
  for (const word of telling.length > 0 || isAnswered ? telling : left) {
    const unit = unitOf(list, word);
    units.push(unit.size === 0 && guess ? unitOfMisspelt(list, word) : unit);
  }
  return units;
}

function unitOf(list: ProbeList, word: string): Unit {
  const unit: Unit = new Map();
  const add = (text: string, closed: { left: boolean; right: boolean }, weight: number): void => {
    for (const token of list.tokensHolding(text, closed)) addProbes(list, unit, token, weight);
  };
  const forms = formsOf(word);
  const synonyms = [word, ...forms].flatMap(form =>
    Object.hasOwn(WORD_FORMS, form) ? (WORD_FORMS[form] ?? []) : [],
  );
  add(word, { left: true, right: true }, 1);
  for (const other of [...forms, ...synonyms]) add(other, { left: true, right: true }, OTHER_FORM);
  for (const form of [word, ...forms])
    if (form.length >= BEGINS_LENGTH) add(form, { left: true, right: false }, BEGINS);
  if (word.length >= INSIDE_LENGTH) add(word, { left: false, right: false }, INSIDE);
  return weighted(list, unit);
}

function unitOfMisspelt(list: ProbeList, word: string): Unit {
  const unit: Unit = new Map();
  if (word.length < GUESSED_LENGTH) return unit;
  for (const { id, alike } of tokensLike(list, word)) addProbes(list, unit, id, MISSPELT * alike);
  return weighted(list, unit);
}

function addProbes(list: ProbeList, unit: Unit, token: number, weight: number): void {
  for (const id of list.probesWith(token)) if (weight > (unit.get(id) ?? 0)) unit.set(id, weight);
}

/** The fewer probes have what is asked for, the more it counts. */
function weighted(list: ProbeList, unit: Unit): Unit {
  const rarity = Math.log(1 + list.names.length / Math.max(unit.size, 1));
  for (const [id, weight] of unit) unit.set(id, weight * rarity);
  return unit;
}

function allOf([first = new Map(), ...others]: readonly Unit[]): Unit {
  const unit: Unit = new Map();
  for (const [id, score] of first) {
    let sum = score;
    for (const other of others) sum += other.get(id) ?? Number.NEGATIVE_INFINITY;
    if (sum > 0) unit.set(id, sum);
  }
  return unit;
}

function rank(list: ProbeList, units: readonly Unit[], { providers }: Question): WordMatches {
  const ranges = list.providers.filter(({ provider }) => providers.size === 0 || providers.has(provider));
  if (units.length === 0)
    return { ids: providers.size > 0 ? idsIn(ranges) : new Uint32Array(), loose: false, most: 0 };
  const scores = new Float32Array(list.names.length);
  const had = new Uint8Array(list.names.length);
  const touched: number[] = [];
  for (const unit of units) {
    for (const [id, score] of unit) {
      if (had[id] === 0) touched.push(id);
      had[id] = (had[id] ?? 0) + 1;
      scores[id] = (scores[id] ?? 0) + score;
    }
  }
  const wanted =
    providers.size === 0
      ? touched
      : touched.filter(id => ranges.some(({ begin, end }) => id >= begin && id < end));
  let most = 0;
  for (const id of wanted) most = Math.max(most, had[id] ?? 0);
  const ids = Uint32Array.from(wanted.filter(id => had[id] === most));
  const priors = priorsOf(list);
  for (const id of ids) scores[id] = (scores[id] ?? 0) * (priors[id] ?? 1);
  // Numbers of probes are in the order of their names.
  ids.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return { ids, loose: most > 0 && most < units.length, most };
}

const keptPriors = new WeakMap<ProbeList, Float32Array>();

/** What a probe is worth before anything is asked. */
function priorsOf(list: ProbeList): Float32Array {
  let priors = keptPriors.get(list);
  if (!priors) {
    priors = new Float32Array(list.names.length);
    for (const { provider, begin, end } of list.providers) {
      const weight = PROVIDER_WEIGHTS[provider] ?? 1;
      for (let id = begin; id < end; id++) {
        const likely = LESS_LIKELY.test(list.names[id] ?? '') ? LESS_LIKELY_DISCOUNT : 1;
        const common = COMMON_GROUPS.test(list.names[id] ?? '') ? COMMON_GROUP_BONUS : 1;
        priors[id] = (weight * likely * common) / (1 + LENGTH_DISCOUNT * (list.lengths[id] ?? 0));
      }
    }
    keptPriors.set(list, priors);
  }
  return priors;
}
