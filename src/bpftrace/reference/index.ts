import { atLeast, type BpftraceVersion, type Release } from '../version.js';
import { BUILTINS } from './builtins.js';
import { type Entry, HELPER_KINDS, type HelperKind } from './entry.js';
import { FUNCTIONS } from './functions.js';
import { MAP_FUNCTIONS } from './map-functions.js';
import { PROBE_TYPES } from './probe-types.js';

export { HELPER_KINDS, type HelperKind };

/** What the installed bpftrace has, in three answers: an unknown version must not read as "missing". */
type Availability = 'yes' | 'no' | 'unknown';

export interface Helper {
  name: string;
  kind: HelperKind;
  signature: string;
  description: string;
  available: Availability;
  since?: Release;
  unsafe?: true;
  example: string;
}

/** Where the reference begins: of older releases it only knows what they do not have yet. */
const OLDEST: Release = '0.17';

const ENTRIES: readonly Entry[] = [...FUNCTIONS, ...MAP_FUNCTIONS, ...BUILTINS, ...PROBE_TYPES];

/**
 * The reference as it applies to `version`, undefined when that could not be found out.
 *
 * `filter` is one of:
 * - a kind's name: the entries of that kind;
 * - words, case ignored: the entries that have every word somewhere in name, kind or description, where a
 *   word with * or ? must match the whole name instead.
 */
export function listHelpers(version: BpftraceVersion | undefined, filter = ''): Helper[] {
  const matches = matcher(filter);
  return ENTRIES.filter(matches).map(entry => toHelper(entry, version));
}

function toHelper(entry: Entry, version: BpftraceVersion | undefined): Helper {
  const { name, kind, signature, description, since, unsafe, example } = entry;
  return {
    name,
    kind,
    signature,
    description,
    available: availability(entry, version),
    ...(since !== undefined && { since }),
    ...(unsafe !== undefined && { unsafe }),
    example,
  };
}

function availability({ since, until }: Entry, version: BpftraceVersion | undefined): Availability {
  if (version === undefined) return 'unknown';
  if (since !== undefined) return atLeast(version, since) && !hasEnded(until, version) ? 'yes' : 'no';
  if (hasEnded(until, version)) return 'no';
  return atLeast(version, OLDEST) ? 'yes' : 'unknown';
}

function hasEnded(until: Release | undefined, version: BpftraceVersion): boolean {
  return until !== undefined && atLeast(version, until);
}

function matcher(filter: string): (entry: Entry) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const [only] = words;
  const kind = HELPER_KINDS.find(candidate => candidate === only);
  if (words.length === 1 && kind !== undefined) return entry => entry.kind === kind;
  const tests = words.map(wordTest);
  return entry => tests.every(test => test(entry));
}

function wordTest(word: string): (entry: Entry) => boolean {
  if (/[*?]/.test(word)) return ({ name }) => matchesGlob(name.toLowerCase(), word);
  return ({ name, kind, description }) => `${name} ${kind} ${description}`.toLowerCase().includes(word);
}

// Not a RegExp: the pattern is the caller's, and `*?*?*?...` as one backtracks for minutes. Going back to the
// last star alone is enough to decide, and bounds the work by name times pattern.
function matchesGlob(name: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    if (pattern[next] === '*') {
      star = next++;
      resume = at;
    } else if (pattern[next] === '?' || pattern[next] === name[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
