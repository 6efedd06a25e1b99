import { atLeast, type BpftraceVersion } from '../version.js';
import { byCause } from './causes.js';
import { type Class, classify } from './classify.js';
import type { Diagnostic } from './diagnostic.js';
import { type Finding, published } from './finding.js';
import { isNoise } from './noise.js';
import { placed } from './place.js';
import { LOG_FIRST, readSaid, type Said } from './said.js';
import { ProgramText, type Range } from './text.js';
import { verifierLog } from './verifier-log.js';

export interface Context {
  /** As the caller wrote it: nothing that was added behind it. */
  program?: string;
  version?: BpftraceVersion | undefined;
  /** The last line on standard output: 0.17 and 0.23 say "No probes to attach" there. */
  lastLine?: string | undefined;
}

/** bpftrace's words on standard error, as one diagnostic a cause, without hints. */
export function diagnose(stderr: string, context: Context = {}): Diagnostic[] {
  return findings(stderr, context, new ProgramText(context.program ?? '')).map(published);
}

export function findings(stderr: string, { version, lastLine }: Context, text: ProgramText): Finding[] {
  const all = readSaid(stderr, text.text);
  if (lastLine === 'No probes to attach') all.push({ severity: 'error', message: lastLine, notes: [] });
  const found = joinedLogs(all).map(said => toFinding(said, text, goesOn(stderr, version)));
  return byCause(found, text);
}

/** 0.27 goes on after clang's errors when it finds the types elsewhere; older ones never. */
function goesOn(stderr: string, version: BpftraceVersion | undefined): boolean {
  return version !== undefined && atLeast(version, '0.24') && !stderr.includes('Clang parse error');
}

function toFinding(said: Said, text: ProgramText, goesOnAfterClang: boolean): Finding {
  const first = classified(said);
  const range = placed(said, first, text);
  const kind = range ? inItsPlace(first, said, range, text) : first;
  const { reason, ...log } = verifierLog(said.log ?? []);
  const message =
    reason === undefined ? inWords(said, range, text) : `${plainMessage(said.message)}: ${reason}`;
  const isIgnored = said.from === 'clang' && goesOnAfterClang;
  // The kernel's type of that name is used instead, whatever is in it.
  const redefined = isIgnored && range ? /^redefinition of '(\w+)'/.exec(said.message)?.[1] : undefined;
  return {
    severity: redefined === undefined ? said.severity : 'warning',
    code: kind.code,
    message,
    ...(kind.subject !== undefined && { subject: kind.subject }),
    ...(range && { ...text.placeOf(range), range }),
    ...(said.hint !== undefined && { hint: said.hint }),
    ...(redefined !== undefined && {
      hint: `the kernel has a type ${redefined} of its own, which is used instead: give yours another name`,
    }),
    ...(said.notes.length > 0 && { notes: said.notes.filter(note => !isNoise(note)) }),
    ...log,
    ...((isNoise(said.message) || (isIgnored && redefined === undefined)) && { noise: true as const }),
  };
}

/** clang says things in its own words, and what led to an error may tell more than the error does. */
function classified(said: Said): Class {
  const kind = classify(said.message);
  if (said.from === 'clang' && kind.code !== 'include') return { ...kind, code: 'c_code' };
  if (kind.code === 'attach' && said.notes.some(note => /kprobe_events\): No such file/.test(note))) {
    return { ...kind, code: 'unsupported_here' };
  }
  if (said.message === 'stoull' && said.notes.length > 0) return { ...kind, code: 'probe_syntax' };
  const because = said.notes.map(classify).find(({ code }) => code === 'permission' || code === 'no_memory');
  return because && kind.code === 'other' ? because : kind;
}

/** What the place tells beyond the words. */
function inItsPlace(kind: Class, { message, from }: Said, range: Range, text: ProgramText): Class {
  const point = text.attachPointAt(range);
  if (point && message === 'stoull') return { code: 'probe_syntax' };
  if (point && kind.code === 'unknown_probe' && /^u(?:ret)?probe$|^ur?$/.test(point.parts[0] ?? '')) {
    return point.text.includes('*') ? kind : { code: 'missing_symbol', subject: point.text };
  }
  // 0.27's library speaks of functions and builtins of its own; what the program calls stands at the place.
  if (from === 'library' && kind.subject?.startsWith('__')) {
    const subject = /^\w+/.exec(text.slice(range))?.[0];
    const code = kind.code === 'unknown_function' ? 'arguments' : kind.code;
    return { code, ...(subject !== undefined && { subject }) };
  }
  return kind;
}

/** 0.17 and 0.23 tell of some errors in C++'s words alone. */
function inWords({ message, notes }: Said, range: Range | undefined, text: ProgramText): string {
  const point = range && text.attachPointAt(range);
  if (message === 'stoull') return notes[0] ?? (point ? 'not a whole number' : 'a number that is too large');
  const named = /^Invalid probe type made it to/.test(message) && point?.parts[0];
  return named ? `Invalid probe type: ${named}` : message;
}

function plainMessage(message: string): string {
  return message.replace(/\s*(?:Use -v for full kernel error log\.|\(try -v\))$/, '').replace(/\.$/, '');
}

/** 0.17 shows the log before its error. */
function joinedLogs(all: Said[]): Said[] {
  const first = all.findIndex(({ message }) => message === LOG_FIRST);
  const error = all.find(({ message }, index) => index > first && /^Error loading/.test(message));
  if (first < 0 || !error) return all;
  error.log ??= all[first]?.log ?? [];
  return all.filter((_, index) => index !== first);
}
