import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { outline } from '../../src/bpftrace/language/outline.js';
import { canonicalProvider } from '../../src/bpftrace/language/providers.js';
import { stringValue, type Token } from '../../src/bpftrace/language/token.js';
import { tokenize } from '../../src/bpftrace/language/tokenizer.js';
import { childEnvironment } from '../../src/bpftrace/spawn-plan.js';
import { atLeast, type BpftraceVersion } from '../../src/bpftrace/version.js';

/** What of a program matters to a policy, in the order of its text. */
export interface Essence {
  attachPoints: string[];
  /** Functions that are called, and strings. */
  words: string[];
}

const PARSE_BOUND_MS = 20_000;
/** What 0.17 and 0.23 print as something else than a call. */
const NO_CALLS: ReadonlySet<string> = new Set([
  'if',
  'else',
  'while',
  'for',
  'unroll',
  'return',
  'sizeof',
  'offsetof',
]);

/** At the depth of attach points: settings, and functions with their types. */
const NO_ATTACH_POINT = /^ (?:config$|\w+: )/;

/** As our tokenizer reads it. */
export function essenceOf(tokens: readonly Token[]): Essence {
  const attachPoints: string[] = [];
  const words: string[] = [];
  for (const { attachPoints: points, predicate, body } of outline(tokens).probes) {
    for (const { parts } of points) attachPoints.push(normal(parts.join(':')));
    words.push(...wordsOf([...(predicate?.tokens ?? []), ...body.tokens]));
  }
  return { attachPoints, words };
}

function wordsOf(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token, index) => {
    if (token.kind === 'string') return [`"${plain(stringValue(token))}"`];
    const isCall = token.kind === 'name' && tokens[index + 1]?.text === '(' && !NO_CALLS.has(token.text);
    return isCall ? [token.text] : [];
  });
}

/** Without what the versions spell in different ways: characters that are no ASCII, and control characters. */
function plain(value: string): string {
  return value.replace(/[^ -~]/g, '');
}

/** 0.17 leaves out what is empty; `k:f+0x10` and `kprobe:f+16` are one, and `h:cycles:1e6` and `hardware:cycles:1000000`. */
function normal(text: string): string {
  // Nobody passes parameters: each stands for nothing.
  const point = text.replace(/\$\d+/g, '');
  const [provider = '', ...rest] = point.split(':');
  const name = [canonicalProvider(provider) ?? provider, ...rest]
    .join(':')
    .replace(/:+/g, ':')
    .replace(/:$/, '');
  return name.replace(/(?<=[:+])(?:0[xX][\da-fA-F]+|\d[\d_]*(?:e\d+)?)(?!\w)/g, number =>
    String(Number(number.replaceAll('_', ''))),
  );
}

/**
 * As bpftrace's own parser reads it, without running anything: undefined when it does not take the program.
 * 0.25 and later print the program anew, earlier ones the syntax tree.
 */
export async function essenceByBpftrace(
  bpftrace: string,
  version: BpftraceVersion,
  program: string,
): Promise<Essence | undefined> {
  const prints = atLeast(version, '0.25');
  const args = prints
    ? ['--fmt', '-']
    : atLeast(version, '0.18')
      ? ['-d', 'ast', '--emit-elf', '/dev/null', '-']
      : ['-d', '-'];
  const child = spawn(bpftrace, args, {
    cwd: '/',
    env: childEnvironment({}),
    timeout: PARSE_BOUND_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(program);
  const [out, , [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<[number | null]>(resolve => child.once('close', status => resolve([status]))),
  ]);
  if (prints) return code === 0 ? essenceOf(tokenize(out)) : undefined;
  return essenceOfTree(out);
}

/** ` kprobe:f` is an attach point, `  call: print` and `   string: a` are words; the depth is in the blanks. */
function essenceOfTree(out: string): Essence | undefined {
  const begin = out.search(/^AST after: [Pp]arser\n-*\n/m);
  if (begin < 0) return undefined;
  const lines = out.slice(begin).split('\n').slice(2);
  const end = lines.findIndex(line => /^(AST after|-+$)/.test(line));
  const attachPoints: string[] = [];
  const words: string[] = [];
  let isInProgram = false;
  for (const line of end < 0 ? lines : lines.slice(0, end)) {
    isInProgram ||= line === 'Program';
    if (!isInProgram) continue;
    const [, word, value = ''] = /^ {2,}(call|string): (.*?)(?: :: type\[.*)?$/.exec(line) ?? [];
    if (word === 'call' && !NO_CALLS.has(value)) words.push(value);
    else if (word === 'string')
      words.push(
        `"${plain(value.replace(/\\(?:(["\\])|[ntr]|x[0-9a-f]{2})/g, (_, letter = '') => letter))}"`,
      );
    else if (/^ \S/.test(line) && !NO_ATTACH_POINT.test(line)) attachPoints.push(normal(line.slice(1)));
  }
  return { attachPoints, words };
}
