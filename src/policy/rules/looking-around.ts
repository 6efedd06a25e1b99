import type { Probe } from '../../bpftrace/language/outline.js';
import type { Token } from '../../bpftrace/language/token.js';

/**
 * What a probe that runs in nobody's name (`BEGIN`, `END`, `interval`) may use under a scope: maps, what is counted,
 * and clocks. Neither the process that happens to run there, nor memory, by whatever pointer. Words are listed that
 * may stand there, so that what a later release brings is refused.
 */

const VALUES: readonly string[] = [
  'nsecs',
  'elapsed',
  'jiffies',
  'cpu',
  'ncpus',
  'numaid',
  'rand',
  'probe',
  'true',
  'false',
];
const TYPES: ReadonlySet<string> = new Set([
  'bool',
  ...[8, 16, 32, 64].flatMap(bits => [`int${bits}`, `uint${bits}`]),
]);
const WORDS: ReadonlySet<string> = new Set([
  ...VALUES,
  ...TYPES,
  ...['if', 'else', 'while', 'for', 'unroll', 'return', 'break', 'continue', 'let', 'comptime'],
  ...['printf', 'print', 'errorf', 'warnf', 'time', 'strftime', 'exit', 'assert', 'clear', 'zero', 'delete'],
  ...['has_key', 'len', 'count', 'sum', 'avg', 'min', 'max', 'stats', 'hist', 'lhist', 'tseries'],
  ...[
    'ksym',
    'ntop',
    'strerror',
    'signal_name',
    'syscall_name',
    'cgroup_path',
    'monotonic',
    'boot',
    'tai',
    'sw_tai',
  ],
]);
/** Behind them a `*` multiplies. */
const MULTIPLIED: ReadonlySet<Token['kind']> = new Set(['number', 'variable', 'map', 'positional']);
const MULTIPLIED_WORDS: ReadonlySet<string> = new Set(VALUES);
const ALLOWED = `maps and what they hold, clocks, cpu and what prints them; look at processes in a probe whose predicate begins with the scope`;

export interface Looking {
  what: string;
  allowed: string;
  start: number;
}

/** The first thing that looks at more than the program's own maps. */
export function lookingAround({ predicate, body }: Probe): Looking | undefined {
  return inTokens(predicate?.tokens ?? []) ?? inTokens(body.tokens);
}

function inTokens(tokens: readonly Token[]): Looking | undefined {
  /** Whether each `(` that is open is that of a cast. */
  const casts: boolean[] = [];
  let closedCast = false;
  for (const [at, token] of tokens.entries()) {
    const what = problemOf(token, tokens[at - 1], tokens[at + 1], closedCast);
    if (what !== undefined) return { what, allowed: ALLOWED, start: token.start };
    const { kind, text } = token;
    closedCast = false;
    if (kind !== 'symbol') continue;
    if (text === '(') casts.push(TYPES.has(tokens[at + 1]?.text ?? ''));
    if (text === ')') closedCast = casts.pop() ?? false;
  }
  return undefined;
}

function problemOf(
  { kind, text }: Token,
  previous: Token | undefined,
  next: Token | undefined,
  isBehindCast: boolean,
): string | undefined {
  if (kind === 'name') return WORDS.has(text) ? undefined : `may not use ${text}`;
  if (kind !== 'symbol') return undefined;
  if (text === '->') return 'may not follow a pointer';
  if (text === '.' && next?.kind !== 'number') return 'may not look into a structure';
  if (text === '[' && previous?.kind !== 'map') return 'may not index what is no map';
  if (text === '*' && (isBehindCast || !isMultiplied(previous))) return 'may not follow a pointer';
  return undefined;
}

function isMultiplied(previous: Token | undefined): boolean {
  if (!previous) return false;
  const { kind, text } = previous;
  if (kind === 'symbol') return text === ')' || text === ']';
  return kind === 'name' ? MULTIPLIED_WORDS.has(text) : MULTIPLIED.has(kind);
}
