import { closing, splitAt } from '../../bpftrace/language/expressions.js';
import type { AttachPoint, Item, Probe } from '../../bpftrace/language/outline.js';
import { canonicalProvider } from '../../bpftrace/language/providers.js';
import { stringValue, type Token } from '../../bpftrace/language/token.js';
import type { ProgramText, Rule, Violation } from '../rule.js';
import type { Scope } from '../scope/scope.js';
import { lookingAround } from './looking-around.js';

/**
 * That every probe whose events have a process begins with a predicate that holds for the scope's only. It has to
 * come first and be followed by nothing but `&&`: what stands behind it is then evaluated for the scope's events
 * only, whatever it does. The other probes (`BEGIN`, `interval`, …) run in whatever process happens to be there,
 * so they may not look at it.
 */

/** They fire by themselves. */
const BY_THEMSELVES: ReadonlySet<string> = new Set(['BEGIN', 'END', 'interval', 'self']);
/** What binds weaker than `&&`, or may begin anything. */
const WIDENING: ReadonlySet<string> = new Set([
  ...['||', '?', ':', ',', ';', '{', '}', '..', '='],
  ...['+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='],
]);
/** They could give another meaning to the words of a predicate. */
const REDEFINING: Readonly<Partial<Record<Item['kind'], string>>> = {
  directive: 'a line of the preprocessor (types of the kernel are there without headers where it has BTF)',
  macro: 'a macro',
  function: 'a function',
  import: 'an import',
};
const PREDICATE_SHOWN_MAX = 300;
/** Of parentheses around tests; bounds the recursion. */
const TEST_DEPTH_MAX = 8;
const NO_TEST = 'its predicate does not begin with the scope';
const NO_THREAD = 'tid is the number of a thread: a scope is of processes, which pid tells';

export function scopeRule(scope: Scope): Rule {
  return function* ({ outline, text }: ProgramText): Iterable<Violation> {
    for (const { kind, tokens, start } of outline.items) {
      const what = REDEFINING[kind] ?? (kind === 'definition' && hasEnum(tokens) ? 'an enum' : undefined);
      if (what === undefined) continue;
      yield refused(
        start,
        `${what} could give another meaning to a predicate, so a scope allows none`,
        scope,
      );
    }
    for (const probe of outline.probes) {
      const points = probe.attachPoints;
      const named = points[0]?.text ?? 'it';
      const walker = points.find(point => providerOf(point) === 'iter');
      if (walker) {
        const message = `${walker.text} walks over everything that there is, and no predicate confines it`;
        yield refused(walker.start, message, scope);
        continue;
      }
      const problem = unconfined(probe, scope);
      if (problem === undefined) continue;
      if (!points.every(runsByItself)) {
        yield refused(probe.start, `${named}: ${problem}`, scope, writeFor(probe, text, scope.predicate));
        continue;
      }
      const looking = lookingAround(probe);
      if (!looking) continue;
      const message = `${named} runs in whatever process happens to be there, so it ${looking.what}`;
      yield { rule: 'scope', message, allowed: looking.allowed, start: looking.start };
    }
  };
}

function refused(start: number, message: string, scope: Scope, write?: string): Violation {
  const predicate = scope.predicate;
  const allowed =
    predicate === ''
      ? 'nothing, since every process of the scope is gone: the operator has to choose others'
      : (write ?? `probes whose predicate begins with the scope: /${predicate}/`);
  return { rule: 'scope', message, allowed, start };
}

/** The predicate to write instead. */
function writeFor({ predicate }: Probe, text: string, scope: string): string {
  const own = predicate && text.slice(predicate.start, predicate.end);
  if (own === undefined) return `the predicate /${scope}/ in front of its {`;
  const rest = own.length > PREDICATE_SHOWN_MAX ? '…' : own;
  return `a predicate that begins with the scope, such as /${scope} && (${rest})/`;
}

function providerOf({ parts }: AttachPoint): string | undefined {
  return canonicalProvider(parts[0] ?? '');
}

export function runsByItself(point: AttachPoint): boolean {
  return BY_THEMSELVES.has(providerOf(point) ?? '');
}

function hasEnum(tokens: readonly Token[]): boolean {
  return /\benum\b/.test(tokens[0]?.text ?? '');
}

/** @returns why the probe is not confined; undefined: it is */
export function unconfined({ predicate }: Probe, scope: Scope): string | undefined {
  const tokens = predicate?.tokens ?? [];
  if (tokens.length === 0) return 'no predicate confines it to the scope';
  const widening = outermost(tokens).find(({ kind, text }) => kind === 'symbol' && WIDENING.has(text));
  if (widening)
    return `"${widening.text}" widens its predicate: put the rest in parentheses behind the scope`;
  if (!isBalanced(tokens)) return 'the brackets of its predicate do not match';
  return problemOfTest(splitAt(tokens, '&&')[0] ?? [], scope);
}

/** One test, or several in parentheses with `||` between. */
function problemOfTest(tokens: readonly Token[], scope: Scope, depth = 0): string | undefined {
  if (tokens[0]?.text !== '(' || depth > TEST_DEPTH_MAX) return problemOfComparison(tokens, scope);
  if (closing(tokens, 0) !== tokens.length - 1) return NO_TEST;
  const problems = splitAt(tokens.slice(1, -1), '||').map(test => problemOfTest(test, scope, depth + 1));
  return problems.find(problem => problem !== undefined);
}

/** `pid == 42`, `cgroup == 42`, `cgroup == cgroupid("/sys/fs/cgroup/a")`. Numbers as all versions read them. */
function problemOfComparison(
  [name, equals, value, ...more]: readonly Token[],
  scope: Scope,
): string | undefined {
  if (name?.kind !== 'name' || equals?.text !== '==' || !value) return NO_TEST;
  if (name.text === 'tid') return NO_THREAD;
  const isNumber = value.kind === 'number' && /^[1-9]\d*$/.test(value.text) && more.length === 0;
  if (name.text === 'pid') return isNumber ? scope.problemOfPid(value.text) : NO_TEST;
  if (name.text !== 'cgroup') return NO_TEST;
  const outside = (group: string): string => `the control group ${group} is not in the operator's scope`;
  if (isNumber) return scope.hasGroupId(value.text) ? undefined : outside(value.text);
  const [open, path, close] = more;
  const isCall = value.text === 'cgroupid' && open?.text === '(' && close?.text === ')' && more.length === 3;
  if (!isCall || path?.kind !== 'string' || path.text.includes('\\')) return NO_TEST;
  return scope.hasGroup(stringValue(path)) ? undefined : outside(path.text);
}

/** The tokens that stand in no brackets. */
function outermost(tokens: readonly Token[]): Token[] {
  let depth = 0;
  return tokens.filter(token => {
    depth += stepOf(token);
    return depth === 0;
  });
}

function isBalanced(tokens: readonly Token[]): boolean {
  let depth = 0;
  return (
    tokens.every(token => {
      depth += stepOf(token);
      return depth >= 0 && token.text !== '{';
    }) && depth === 0
  );
}

function stepOf({ kind, text }: Token): number {
  if (kind !== 'symbol') return 0;
  return text === '(' || text === '[' ? 1 : text === ')' || text === ']' ? -1 : 0;
}
