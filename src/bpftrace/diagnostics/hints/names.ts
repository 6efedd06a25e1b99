import { type Helper, listHelpers } from '../../reference/index.js';
import type { BpftraceVersion } from '../../version.js';
import type { ProgramText } from '../text.js';
import { type Advice, type Adviser, versionText } from './advice.js';
import { CONSTANTS } from './constants.js';
import { nearest } from './nearest.js';

/** What other tracers and languages call it. A function's name, or advice in words. */
const OTHER_WORDS_FOR_FUNCTIONS: Readonly<Record<string, string>> = {
  println: 'print',
  puts: 'print',
  echo: 'print',
  log: 'print',
  fprintf: 'printf',
  quantize: 'hist',
  histogram: 'hist',
  lquantize: 'lhist',
  average: 'avg',
  mean: 'avg',
  total: 'sum',
  increment: 'count',
  stack: 'kstack',
  backtrace: 'kstack',
  stacktrace: 'kstack',
  jstack: 'ustack',
  string: 'str',
  copyinstr: 'str',
  stringof: 'str',
  strcmp: 'strncmp',
  strstr: 'strcontains',
  truncate: 'clear',
  trunc: 'clear',
  kill: 'signal',
  inet_ntop: 'ntop',
  inet_ntoa: 'ntop',
  symbol: 'ksym',
  addr2sym: 'usym',
  stop: 'exit',
  quit: 'exit',
  now: 'nsecs',
  timestamp: 'nsecs',
};
export const OTHER_WORDS_FOR_NAMES: Readonly<Record<string, string>> = {
  execname: 'comm',
  process: 'comm',
  procname: 'comm',
  command: 'comm',
  timestamp: 'nsecs',
  walltimestamp: 'nsecs',
  now: 'nsecs',
  time: 'nsecs',
  ktime: 'nsecs',
  probefunc: 'func',
  function: 'func',
  probename: 'probe',
  thread: 'tid',
  user: 'uid',
  task: 'curtask',
  current: 'curtask',
  processor: 'cpu',
  ret: 'retval',
  returnvalue: 'retval',
};
const IN_WORDS: Readonly<Record<string, string>> = {
  sprintf: 'there is none: give printf the parts, or use a tuple (a, b) as the value or key',
  malloc: 'there is no memory to take: keep values in maps',
  sleep: 'a probe cannot wait: use another probe, such as interval:s:1',
  now: 'use nsecs',
};

export const unknownFunction: Adviser = ({ finding, version }) => {
  const name = finding.subject ?? '';
  const inWords = IN_WORDS[name];
  if (inWords !== undefined) return { hint: inWords };
  const functions = listHelpers(version).filter(({ kind }) => kind === 'function' || kind === 'map_function');
  const later = ofAnotherVersion(name, functions, version);
  if (later) return later;
  const builtin = listHelpers(version).find(each => each.kind === 'builtin' && each.name === name);
  if (builtin) return { hint: `${name} is a builtin variable here: write it without the parentheses` };
  const here = functions.filter(({ available }) => available !== 'no');
  const other = OTHER_WORDS_FOR_FUNCTIONS[name.toLowerCase()];
  const meant =
    here.find(each => each.name === other)?.name ??
    nearest(
      name,
      here.map(each => each.name),
      1,
    )[0];
  if (meant === undefined) return { hint: 'list_helpers lists the functions that there are' };
  const signature = here.find(each => each.name === meant)?.signature ?? meant;
  return { hint: `did you mean ${signature}?`, replacement: meant };
};

export const unknownName: Adviser = ({ finding, text, version }) => {
  const name = finding.subject ?? '';
  const inWords = IN_WORDS[name];
  if (inWords !== undefined) return { hint: inWords };
  const constant = CONSTANTS[name];
  if (constant !== undefined) return { hint: `${name} is ${constant}`, replacement: String(constant) };
  const helpers = listHelpers(version);
  const builtins = helpers.filter(({ kind }) => kind === 'builtin');
  const called = helpers.find(each => each.name === name && /function/.test(each.kind));
  if (called) return { hint: `${name} is a function: ${called.signature}`, ...callOf(called) };
  const later = ofAnotherVersion(name, builtins, version);
  if (later) return later;
  const own = namesOfPreamble(text);
  const other = OTHER_WORDS_FOR_NAMES[name.toLowerCase()];
  const here = builtins.filter(({ available }) => available !== 'no').map(each => each.name);
  const meant = other ?? nearest(name, [...own, ...here.filter(each => /^\w+$/.test(each))], 1)[0];
  if (meant !== undefined) return { hint: `did you mean ${meant}?`, replacement: meant };
  if (/^[A-Z][A-Z0-9_]+$/.test(name)) {
    return { hint: `constants come from headers: write its number, or #define ${name} <number> at the top` };
  }
  return {
    hint: 'list_helpers lists the builtin variables; $name is a variable, @name a map, "name" a string',
  };
};

function callOf({ signature, name }: Helper): Pick<Advice, 'replacement'> {
  return /\(\)/.test(signature) ? { replacement: `${name}()` } : {};
}

/** Macros and enumerators that the program defines. */
function namesOfPreamble({ outline }: ProgramText): string[] {
  return outline.items.flatMap(({ tokens: [token] }) => {
    const macro = /^#\s*define\s+(\w+)/.exec(token?.text ?? '')?.[1];
    const body = token?.text.startsWith('enum') ? token.text.slice(token.text.indexOf('{')) : '';
    return [
      ...(macro ? [macro] : []),
      ...[...body.matchAll(/(\w+)\s*(?:=|,|\})/g)].map(([, each = '']) => each),
    ];
  });
}

/** Of what the reference knows from other releases than the installed one. */
export function ofAnotherVersion(
  name: string,
  helpers: readonly Helper[],
  version: BpftraceVersion | undefined,
): Advice | undefined {
  const known = helpers.filter(each => each.name === name && each.available === 'no');
  const since = known[0]?.since;
  if (since === undefined || helpers.some(each => each.name === name && each.available === 'yes'))
    return undefined;
  const instead = INSTEAD[name];
  return {
    code: 'version',
    hint: `${name} came with bpftrace ${since}, ${versionText(version)}${instead ? `; ${instead}` : ''}`,
  };
}

/** How older releases do it. */
const INSTEAD: Readonly<Record<string, string>> = {
  has_key: 'before that, @map[key] is 0 where there is none: if (@map[key])',
  strlen: 'compare whole strings with ==',
  strstr: 'strcontains(haystack, needle) tells whether it is there',
  ppid: 'use curtask->real_parent->tgid',
  len: 'count what you put in',
  offsetof: 'write the number of bytes',
  nsecs: 'use nsecs without parentheses',
};

export const unknownVariable: Adviser = ({ finding, text, version }) => {
  const name = finding.subject ?? '';
  const probe = finding.range && text.probeAt(finding.range);
  const assigned = assignments(text, /\$\w+/g);
  const here = probe ? assigned.filter(({ start }) => start >= probe.start && start < probe.end) : assigned;
  const sameName = here.find(each => each.name === name);
  if (sameName && finding.range && sameName.start < finding.range.start) {
    const declare = version && version.major === 0 && version.minor < 22 ? `${name} = 0;` : `let ${name};`;
    return { hint: `it is assigned in an inner block and ends with it: put ${declare} before that block` };
  }
  const at = finding.range?.start ?? 0;
  // `$z = $w` does not give $z its value before $w is needed.
  const before = here.filter(({ start }) => start < at && /[;{}]/.test(text.bare.slice(start, at)));
  const meant = nearest(
    name,
    before.map(each => each.name).filter(each => each !== name),
    1,
  )[0];
  if (meant !== undefined) return { hint: `did you mean ${meant}?`, replacement: meant };
  if (!sameName && assigned.some(each => each.name === name)) {
    return { hint: `a variable lives in one probe: keep it in a map, such as @${name.slice(1)}[tid]` };
  }
  return { hint: `assign it first: ${name} = 0;` };
};

export const unknownMap: Adviser = ({ finding, text }) => {
  const name = finding.subject ?? '';
  const at = finding.range?.start ?? 0;
  // `@m = max(@n)` does not give @m its value before @n is needed.
  const assigned = assignments(text, /@\w*/g)
    .filter(({ start }) => start > at || /[;{}]/.test(text.bare.slice(start, at)))
    .map(each => each.name)
    .filter(each => each !== name);
  const meant = nearest(
    name,
    assigned.filter(each => each !== name),
    1,
  )[0];
  if (meant !== undefined) return { hint: `did you mean ${meant}?`, replacement: meant };
  const maps = assigned.length > 0 ? `; the program assigns ${[...new Set(assigned)].join(', ')}` : '';
  return { hint: `nothing gives ${name} a value: assign it somewhere, such as ${name} = count()${maps}` };
};

function assignments(text: ProgramText, pattern: RegExp): { name: string; start: number }[] {
  return [...text.bare.matchAll(pattern)].flatMap(({ 0: name, index }) => {
    const behind = text.bare.slice(index + name.length, index + name.length + 200);
    const before = text.bare.slice(Math.max(0, index - 20), index);
    const assigns = /^\s*(?:\[[^;{}]*\]\s*)?(?:[-+*/%&|^]?=(?!=)|\+\+|--)/.test(behind);
    return assigns || /(?:\+\+|--|\blet\s|\bfor\s*\(?\s*)$/.test(before) ? [{ name, start: index }] : [];
  });
}
