import type { Finding } from './finding.js';
import type { ProgramText } from './text.js';

/**
 * bpftrace goes on after an error with something that has no type, and says so again: these only follow from
 * another error.
 */
const FOLLOWS: readonly RegExp[] = [
  /\bnone\b/,
  /^Invalid expression for assignment/,
  /^Could not resolve the type|^Cannot cast to "/,
  /^Clang parse error|^Include headers with missing type|^Cannot take type definitions from BTF/,
  /^Loading BPF object\(s\) failed/,
  // A variable of 0.27's own library.
  /\$\$\w+/,
];

/** Of these, an agent can make nothing where the cause is told. */
const TELLS_NOTHING =
  /^(?:Loading BPF object|Clang parse error|Include headers with missing|Cannot take type definitions)/;
/** With -v, 0.23 names every program of which one was refused; the others' logs hold nothing but their statistics. */
const EMPTY_LOG = /^processed \d+ insns[^\n]*$/;

/** Parsers that have lost their way: what they say later follows from the first error. */
const ONE_IS_ENOUGH: ReadonlySet<string> = new Set(['syntax', 'c_code', 'include']);

/**
 * One finding a cause. What follows from an error, what is said again of its place, and every syntax error
 * behind the first become its notes; warnings that repeat are counted; noise is told once. The order stays.
 */
export function byCause(all: readonly Finding[], text: ProgramText): Finding[] {
  const noise = all.filter((each, index) => each.noise && firstWith(all, each) === index);
  const telling = all.filter(each => !each.noise);
  const errors = telling.filter(({ severity }) => severity === 'error');
  const leading = errors.filter(
    error => !follows(error) && !isAssigned(error, text) && !EMPTY_LOG.test(error.log ?? ''),
  );
  const first = leading[0] ?? errors[0];
  const causes: Finding[] = [];
  for (const error of errors) {
    if (first && error !== first && !leading.includes(error)) addNotes(first, error);
    else addTo(causes, error, cause => isAbout(cause, error));
  }
  for (const each of telling) {
    if (each.severity === 'error') continue;
    const better = [...causes, ...telling].find(cause => isExplainedBy(cause, each));
    if (better) addNotes(better, each);
    else if (first && follows(each)) addNotes(first, each);
    else if (each.severity === 'warning') addTo(causes, each, cause => cause.message === each.message);
    else causes.push(each);
  }
  return [...causes.sort((a, b) => all.indexOf(a) - all.indexOf(b)), ...noise];
}

function follows({ message }: Finding): boolean {
  return FOLLOWS.some(pattern => pattern.test(message));
}

/** `@x = nosuch` gives an error about @x as well: it has no value then. */
function isAssigned({ range, code }: Finding, { text }: ProgramText): boolean {
  if (!range || (code !== 'unknown_map' && code !== 'unknown_variable')) return false;
  return /^\s*(?:\[[^;{}]*\]\s*)?=(?!=)/.test(text.slice(range.end));
}

function sharesPlace(a: Finding, b: Finding): boolean {
  return a.range !== undefined && a.range.start === b.range?.start;
}

function overlap({ range: a }: Finding, { range: b }: Finding): boolean {
  return a !== undefined && b !== undefined && a.start < b.end && b.start < a.end;
}

/** That a probe may not attach says no more than that it did not. */
function isExplainedBy(cause: Finding, each: Finding): boolean {
  const failed = cause.severity === 'error' || (cause.code === 'probe_skipped' && each.code === 'suspect');
  return failed && cause !== each && sharesPlace(cause, each);
}

function isAbout(cause: Finding, error: Finding): boolean {
  if (cause.message === error.message && cause.range?.start === error.range?.start) return true;
  if (cause.subject !== undefined && cause.code === error.code && cause.code.startsWith('unknown_')) {
    return cause.subject === error.subject;
  }
  if (cause.code === error.code && overlap(cause, error)) return true;
  return sharesPlace(cause, error) || (cause.code === error.code && ONE_IS_ENOUGH.has(error.code));
}

function addTo(causes: Finding[], finding: Finding, isSame: (cause: Finding) => boolean): void {
  const cause = causes.find(each => each.severity === finding.severity && isSame(each));
  if (!cause) causes.push(finding);
  else if (finding.severity === 'warning') cause.count = (cause.count ?? 1) + 1;
  else addNotes(cause, finding);
}

function addNotes(cause: Finding, { message, notes = [] }: Finding): void {
  const known = new Set([cause.message, ...(cause.notes ?? [])]);
  const added = [message, ...notes].filter(note => !known.has(note) && !TELLS_NOTHING.test(note));
  if (added.length > 0) cause.notes = [...(cause.notes ?? []), ...new Set(added)];
}

function firstWith(all: readonly Finding[], { message }: Finding): number {
  return all.findIndex(each => each.message === message);
}
