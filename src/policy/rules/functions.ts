import { stringValue, type Token } from '../../bpftrace/language/token.js';
import {
  BUILTIN_NAMES,
  FUNCTION_NAMES,
  NEWEST_RELEASE,
  UNSAFE_FUNCTION_NAMES,
} from '../../bpftrace/reference/names.js';
import { findPublicFile } from '../public-file.js';
import type { ProgramText, Violation } from '../rule.js';
import { suggestion } from '../suggestion.js';

/** Names that a `(` may follow and that are no calls. */
const KEYWORDS: ReadonlySet<string> = new Set([
  'if',
  'else',
  'while',
  'for',
  'unroll',
  'return',
  'let',
  'comptime',
]);
const NO_OTHER_WAY = 'printf(), print() and maps';
/** More than any kernel function's name or path; wider ones make bpftrace allocate what they ask for, and 0.27 crash. */
const WIDTH_DIGITS_MAX = 3;
const WIDE_FORMAT = new RegExp(`%[-+ #0.\\d]*\\d{${WIDTH_DIGITS_MAX + 1}}`);

/**
 * Functions that are known may be called. A name that is not in the reference may be anything: a kernel function,
 * an internal macro of bpftrace's library that does without its safe mode, whatever the next release brings.
 */
export function* functions({ outline }: ProgramText): Iterable<Violation> {
  const defined = new Set<string>();
  for (const { kind, tokens } of outline.items) {
    if (kind === 'macro' || kind === 'function') defined.add(tokens[1]?.text ?? '');
  }
  for (const { kind, tokens } of outline.items) {
    // The first two are the keyword and its own name.
    if (kind === 'macro' || kind === 'function') yield* judge(tokens.slice(1), defined);
  }
  for (const { predicate, body } of outline.probes) {
    if (predicate) yield* judge(predicate.tokens, defined);
    yield* judge(body.tokens, defined);
  }
}

function* judge(tokens: readonly Token[], defined: ReadonlySet<string>): Iterable<Violation> {
  for (const [index, token] of tokens.entries()) {
    const { kind, text: name, start } = token;
    if (kind === 'string' && WIDE_FORMAT.test(name)) {
      yield {
        rule: 'size',
        message: 'a format asks for a width or precision of more than 999',
        allowed: 'a width of up to 999',
        start,
      };
    }
    const previous = tokens[index - 1]?.text;
    if (kind !== 'name' || previous === '.' || previous === '->') continue;
    const rest = tokens.slice(index + 1, index + 4);
    if (name === 'cat') yield* judgeCat(start, rest);
    else if (name === 'cgroupid') yield* judgeCgroupid(start, rest);
    else if (name === 'skboutput') yield refused(start, 'skboutput() writes a file', NO_OTHER_WAY);
    else if (UNSAFE_FUNCTION_NAMES.has(name))
      yield refused(start, `${name}() changes the host`, NO_OTHER_WAY);
    else if (name.startsWith('__'))
      yield refused(start, `${name} is internal to bpftrace`, 'what list_helpers shows');
    else if (rest[0]?.text === '(' && !isCallable(name, defined))
      yield refused(
        start,
        `${name}() is no function that this policy knows`,
        `${suggestion(name, FUNCTION_NAMES)}what list_helpers shows, and macros and functions of the program; it knows bpftrace up to ${NEWEST_RELEASE}, and what came later needs --policy full`,
      );
  }
}

function isCallable(name: string, defined: ReadonlySet<string>): boolean {
  return FUNCTION_NAMES.has(name) || BUILTIN_NAMES.has(name) || KEYWORDS.has(name) || defined.has(name);
}

/** `cat ( "literal" )`; nothing in the literal may have two readings. */
function* judgeCat(start: number, rest: readonly Token[]): Iterable<Violation> {
  const path = literalArgument(rest);
  const found = path === undefined || path.includes('%') ? undefined : findPublicFile(path);
  if (found?.realPath !== undefined && found.isHeldByRoot) return;
  yield {
    rule: 'read_file',
    message:
      path === undefined || path.includes('%')
        ? 'cat() takes one plain string here, with no format and no escapes'
        : `cat() may not read ${JSON.stringify(path)}: it is not a file that every user of the host can read and only root can replace`,
    allowed: 'cat("/proc/loadavg"), and regular files such as /etc/os-release that are readable by everybody',
    start,
  };
}

/** The id of a control group, of which the path is looked up as root. */
function* judgeCgroupid(start: number, rest: readonly Token[]): Iterable<Violation> {
  const path = literalArgument(rest);
  if (path !== undefined && /^\/sys\/fs\/cgroup(?:\/|$)/.test(path) && !path.split('/').includes('..'))
    return;
  yield {
    rule: 'read_file',
    message: 'cgroupid() looks up a path as root',
    allowed: 'a plain string below /sys/fs/cgroup: cgroupid("/sys/fs/cgroup/system.slice")',
    start,
  };
}

/** Of a call with one string. */
function literalArgument([open, argument, close]: readonly Token[]): string | undefined {
  if (
    open?.text !== '(' ||
    argument?.kind !== 'string' ||
    close?.text !== ')' ||
    argument.text.includes('\\')
  )
    return undefined;
  return stringValue(argument);
}

function refused(start: number, message: string, allowed: string): Violation {
  return { rule: 'function', message, allowed, start };
}
