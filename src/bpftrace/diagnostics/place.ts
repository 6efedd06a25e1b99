import type { Class } from './classify.js';
import type { Said } from './said.js';
import type { ProgramText, Range } from './text.js';

/** Codes whose message names the whole call, attach point or statement, which begins at the name. */
const BEGINS_AT_SUBJECT: ReadonlySet<string> = new Set(['arguments', 'unsafe_required', 'map_type']);
/** Codes about an attach point as a whole. */
const OF_ATTACH_POINT: ReadonlySet<string> = new Set([
  'unknown_probe_type',
  'probe_syntax',
  'unknown_probe',
  'missing_file',
  'attach',
  'attach_denied',
  'verifier',
  'stack_limit',
  'too_many_probes',
  'probe_skipped',
  'missing_symbol',
  'suspect',
]);
/** A token at the end of a text. */
const LAST_TOKEN = /(?:"(?:[^"\\]|\\.)*"|[@$]?\w+|->|\+\+|--|\S)\s*$/;

/**
 * Where in the program a message belongs, as narrow as its words allow. 0.17 and 0.23 begin a place too early
 * (`print($nope)` for `$nope`) and name lines alone when an attach point stands on another line than the probe
 * before it ends on; 0.27 names the whole call for a function's name. Narrowed, all three agree mostly.
 */
export function placed(said: Said, { code, subject }: Class, program: ProgramText): Range | undefined {
  if (said.from === 'clang') return ofClang(said, subject, program);
  const range = said.span && program.rangeOf(said.span);
  if (code === 'syntax' && range) return syntaxPlace(said.message, subject, range, program);
  if (OF_ATTACH_POINT.has(code)) {
    const point = attachPointPlace(said, code, subject, range, program);
    if (point) return point;
  }
  if (subject === undefined) return range ?? ofQuotedName(said.message, program);
  const found = named(subject, code, range, program);
  if (!found) return range;
  return BEGINS_AT_SUBJECT.has(code) && range
    ? { start: found.start, end: Math.max(found.end, range.end) }
    : found;
}

function syntaxPlace(
  message: string,
  subject: string | undefined,
  range: Range,
  program: ProgramText,
): Range {
  if (/unterminated string/.test(message)) {
    const open = program.tokens.find(({ kind, text }) => kind === 'invalid' && text.startsWith('"'));
    if (open) return { start: open.start, end: program.text.indexOf('\n', open.start) };
  }
  if (/during comment/.test(message)) {
    const open = program.text.lastIndexOf('/*');
    return { start: open, end: open + 2 };
  }
  if (/end of file/.test(message)) return program.end;
  if (subject !== undefined) {
    const at = program.text.lastIndexOf(subject, range.end);
    if (at >= 0) return { start: at, end: at + subject.length };
  }
  // bison's place begins with the statement, and ends with the token that it did not expect.
  if (/unexpected|invalid character/.test(message)) {
    const last = LAST_TOKEN.exec(program.slice(range));
    if (last)
      return { start: range.start + last.index, end: range.start + last.index + last[0].trimEnd().length };
  }
  return range;
}

/** clang's place in the preamble, or the line that includes what it speaks of. */
function ofClang(
  { file = '', span }: Said,
  subject: string | undefined,
  program: ProgramText,
): Range | undefined {
  if (subject !== undefined) return ofInclude(subject, program);
  const place =
    file === 'definitions.h' && span ? program.inPreamble(span.line, span.column ?? 1) : undefined;
  if (place) return place;
  const headers = program.tokens.flatMap(({ text }) => /^#\s*include\s*["<]([^">]+)/.exec(text)?.[1] ?? []);
  const header = headers.find(each => file.endsWith(`/${each}`));
  return header === undefined ? undefined : ofInclude(header, program);
}

function ofInclude(header: string, program: ProgramText): Range | undefined {
  const directive = program.outline.items.find(({ tokens }) => tokens[0]?.text.includes(header));
  if (!directive) return undefined;
  const start = program.text.indexOf(header, directive.start);
  return { start, end: start + header.length };
}

function attachPointPlace(
  { span }: Said,
  code: string,
  subject: string | undefined,
  range: Range | undefined,
  program: ProgramText,
): Range | undefined {
  const points = program.attachPoints;
  if (range && span) {
    const within = points.filter(({ start, end }) => start < range.end && end > range.start);
    const one =
      within.length === 1 ? within[0] : within.find(({ text }) => subject && text.includes(subject));
    // A file or symbol that is named in a body belongs there.
    if (one) return { start: one.start, end: one.end };
    if (code !== 'unknown_probe_type') return undefined;
  }
  const point = subject === undefined ? undefined : program.attachPointNamed(subject);
  if (point) return { start: point.start, end: point.end };
  const quoted = subject === undefined ? undefined : ofText(subject, program);
  if (quoted) return quoted;
  const others = points.filter(
    ({ text }) => !/^(?:BEGIN|END|begin|end|interval|profile|self|test)\b/.test(text),
  );
  const [only] = others.length > 0 ? others : points;
  return only && others.length <= 1 ? { start: only.start, end: only.end } : undefined;
}

function named(
  subject: string,
  code: string,
  range: Range | undefined,
  program: ProgramText,
): Range | undefined {
  if (range) {
    const near = { start: range.start, end: range.end + 1 };
    const within = program.find(subject, near);
    // A field's name may be a variable's too: the field is behind a dot or an arrow.
    const fields = within.filter(({ start }) => /(?:\.|->)\s*$/.test(program.text.slice(0, start)));
    const found = code === 'unknown_field' || code === 'type' ? (fields[0] ?? within.at(-1)) : within[0];
    if (found) return found;
    // The assigned map stands before what is assigned to it.
    const before = program.find(subject, { start: 0, end: range.start }).at(-1);
    if (before && /^(?:\[[^;{}]*\])?\s*[-+*/|&^]?=?\s*$/.test(program.text.slice(before.end, range.start)))
      return before;
    return undefined;
  }
  return once(program.find(subject)) ?? ofText(subject, program);
}

/** A text that stands once in the program, in a string too: a file's or symbol's name. */
function ofText(text: string, program: ProgramText): Range | undefined {
  const name = text.includes(':') ? text.slice(text.lastIndexOf(':') + 1) : text;
  for (const candidate of [text, name]) {
    const start = program.text.indexOf(candidate);
    if (candidate !== '' && start >= 0 && program.text.indexOf(candidate, start + 1) < 0) {
      return { start, end: start + candidate.length };
    }
  }
  return undefined;
}

/** Of a message without a place: the name in its quotes, where that stands once. */
function ofQuotedName(message: string, program: ProgramText): Range | undefined {
  for (const [, name = ''] of message.matchAll(/['"]([^'"]+)['"]/g)) {
    const found = once(program.find(name.replace(/^(?:struct|union|enum) /, '')));
    if (found) return found;
  }
  return undefined;
}

function once(ranges: readonly Range[]): Range | undefined {
  return ranges.length === 1 ? ranges[0] : undefined;
}
