import { tokensOf } from './tokens.js';
import { PROVIDER_WEIGHTS } from './vocabulary.js';

/** What a person asked for. */
export interface Question {
  /** Each once. */
  words: string[];
  /** Kinds of probes that were named; empty for any. */
  providers: ReadonlySet<string>;
}

export function questionOf(text: string): Question {
  const providers = new Set<string>();
  const words: string[] = [];
  for (const word of new Set(tokensOf(text))) {
    const provider = word.replace(/s$/, '');
    // "software" and "hardware" are words of ordinary questions too.
    if (Object.hasOwn(PROVIDER_WEIGHTS, provider) && !provider.endsWith('ware')) providers.add(provider);
    else words.push(word);
  }
  return { words, providers };
}

/** `switches` and `switching` are forms of `switch`. */
export function isForm(word: string, wanted: string): boolean {
  return word === wanted || formsOf(word).includes(wanted);
}

/** The words that a word may be a form of. Some are no words, which does no harm. */
export function formsOf(word: string): string[] {
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
