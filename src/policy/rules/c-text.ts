import { existsSync } from 'node:fs';
import type { Item } from '../../bpftrace/language/outline.js';
import { stringValue, type Token } from '../../bpftrace/language/token.js';
import { BUILTIN_NAMES, FUNCTION_NAMES } from '../../bpftrace/reference/names.js';
import { findPublicFile } from '../public-file.js';
import type { ProgramText, Violation } from '../rule.js';

/**
 * What clang reads: lines of the preprocessor and C definitions. It runs as root and prints the lines it can't
 * make sense of, so it may be given nothing that names a file of the caller's choice. Macros matter twice: up
 * to 0.23 bpftrace's lexer puts their text into the program and reads it again.
 */

const INCLUDE = /^#[ \t]*include[ \t]*<(\w[\w.+-]*(?:\/\w[\w.+-]*)*)>$/;
const DEFINE = /^#[ \t]*define[ \t]+([A-Za-z_]\w*)(\([\w, \t]*\))?(?:[ \t]+(.*))?$/;
const CONDITION =
  /^#[ \t]*(?:(?:ifdef|ifndef|undef)[ \t]+[A-Za-z_]\w*|(?:if|elif)[ \t(!][\w \t()!&|<>=+-]*|else|endif)$/;
/** No quotes, no slash, no dot: a header that includes what a macro names can't be led to another file. */
const DEFINE_BODY = /^[\w \t()+*&|^~!<>=,-]*$/;
/** These end up in `#include` lines of system headers. */
const NAMES_A_HEADER = /INCLUDE|_H_*$|^__/;
const HAS_FILE = /\b__has_/;
const C_DEFINITION = /^[\w\s*[\](),;:{}=+<>|&~-]*$/;
const C_OPERATORS = /\b(?:_Pragma|__pragma|asm|__asm|__asm__|__has_\w+)\b/;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
/** Where `<name>` may come from besides the kernel's headers; bpftrace runs in `/` and falls back to it. */
const HEADER_FOLDERS = ['/', '/usr/include/', '/usr/local/include/'];
/** Of the text that macros stand for, in tokens: nested ones grow exponentially. */
const MACRO_TOKENS_MAX = 4096;
const LANGUAGE_WORDS: ReadonlySet<string> = new Set([
  ...[
    'if',
    'else',
    'while',
    'for',
    'unroll',
    'return',
    'break',
    'continue',
    'let',
    'struct',
    'union',
    'enum',
  ],
  ...[
    'arg0',
    'arg1',
    'arg2',
    'arg3',
    'arg4',
    'arg5',
    'true',
    'false',
    'string',
    'bool',
    'bpftrace',
    'perf',
    'raw',
  ],
]);
const TYPE_KEYWORDS: ReadonlySet<string> = new Set(['struct', 'union', 'enum']);

export function* cText({ outline, text }: ProgramText): Iterable<Violation> {
  const macros = new Map<string, number>();
  for (const item of outline.items) {
    const violation =
      item.kind === 'directive'
        ? judgeDirective(item, macros)
        : item.kind === 'definition'
          ? judgeDefinition(item)
          : item.kind === 'import'
            ? judgeImport(item)
            : undefined;
    if (violation) yield violation;
  }
  if (outline.items.some(({ kind }) => kind === 'directive')) {
    for (const { predicate, body } of outline.probes) {
      yield* judgeUnknownNames(text, [...(predicate?.tokens ?? []), ...body.tokens]);
    }
  }
  for (const { attachPoints } of outline.probes) {
    for (const { tokens } of attachPoints) {
      for (const { kind, text: name, start } of tokens) {
        if (kind === 'name' && macros.has(name))
          yield preprocessor(start, `the macro ${name} stands in an attach point`);
      }
    }
  }
}

function judgeDirective({ tokens, start }: Item, macros: Map<string, number>): Violation | undefined {
  const raw = tokens[0]?.text ?? '';
  if (raw.includes('\\')) return preprocessor(start, 'a line of the preprocessor holds a backslash');
  const line = raw.replace(COMMENT, ' ').trimEnd();
  if (line.includes('/*'))
    return preprocessor(start, 'a comment begins in a line of the preprocessor and ends in another');
  const header = INCLUDE.exec(line)?.[1];
  if (header !== undefined) return judgeHeader(header, start);
  if (/^#[ \t]*include/.test(line)) {
    return preprocessor(
      start,
      '#include may read files that not every user of the host can read',
      'a header of the system by its name in angle brackets, without ..: #include <linux/sched.h>',
    );
  }
  const define = DEFINE.exec(line);
  if (define) return judgeDefine(define[1] ?? '', define[3] ?? '', start, macros);
  if (CONDITION.test(line) && !HAS_FILE.test(line)) return undefined;
  return preprocessor(start, `the preprocessor may not be given ${JSON.stringify(raw.slice(0, 60))}`);
}

function judgeHeader(name: string, start: number): Violation | undefined {
  const isHidden = HEADER_FOLDERS.some(folder => {
    const found = findPublicFile(`${folder}${name}`);
    return !found || (found.realPath !== undefined && !found.isHeldByRoot);
  });
  if (!isHidden) return undefined;
  return preprocessor(
    start,
    `<${name}> is a file that not every user of the host can read`,
    "a header that is everybody's to read and only root's to write",
  );
}

function judgeDefine(
  name: string,
  body: string,
  start: number,
  macros: Map<string, number>,
): Violation | undefined {
  const words = body.match(/[A-Za-z_]\w*/g) ?? [];
  const bad = words.find(word => FUNCTION_NAMES.has(word) || TYPE_KEYWORDS.has(word));
  if (FUNCTION_NAMES.has(name) || NAMES_A_HEADER.test(name))
    return preprocessor(start, `the macro ${name} may not be defined`);
  if (!DEFINE_BODY.test(body))
    return preprocessor(start, `the macro ${name} stands for more than numbers, names and operators`);
  if (bad) return preprocessor(start, `the macro ${name} stands for ${bad}`);
  const size = words.reduce((sum, word) => sum + (macros.get(word) ?? 1), 1);
  macros.set(name, size);
  if (size > MACRO_TOKENS_MAX) return preprocessor(start, `the macro ${name} stands for ${size} names`);
  return undefined;
}

function judgeDefinition({ tokens, start }: Item): Violation | undefined {
  const text = (tokens[0]?.text ?? '').replace(COMMENT, ' ');
  const operator = C_OPERATORS.exec(text)?.[0];
  if (C_DEFINITION.test(text) && !operator) return undefined;
  return {
    rule: 'c_definition',
    message: `a C definition may not hold ${operator ?? 'quotes, a backslash, % or ?'}`,
    allowed: 'members with plain types: struct a { int b; char c[16]; }',
    start,
  };
}

function judgeImport({ tokens, start }: Item): Violation | undefined {
  const [, string] = tokens;
  // Nothing of that name may stand in the folder bpftrace runs in.
  if (string?.kind === 'string' && stringValue(string) === 'stdlib' && !existsSync('/stdlib'))
    return undefined;
  return {
    rule: 'import',
    message: 'import reads files',
    allowed: 'the standard library, which is there without an import',
    start,
  };
}

/**
 * Headers define macros that nobody listed. Should one of them stand for `struct` or the like, bpftrace up to
 * 0.23 takes what follows for a type's name, up to the next `*`, `)` or `{`; so no string or comment may begin there.
 */
function* judgeUnknownNames(text: string, tokens: readonly Token[]): Iterable<Violation> {
  for (const [index, { kind, text: name, start, end }] of tokens.entries()) {
    const before = tokens[index - 1]?.text ?? '';
    const after = tokens[index + 1]?.text;
    if (
      kind !== 'name' ||
      isKnown(name) ||
      after === '(' ||
      before === '.' ||
      before === '->' ||
      TYPE_KEYWORDS.has(before)
    )
      continue;
    const [typeName = ''] = /^[^*){]*\*?/.exec(text.slice(end)) ?? [];
    if (!/"|\/[/*]/.test(typeName)) continue;
    yield preprocessor(
      start,
      `a string or comment follows ${name}, which a header may have defined`,
      'the name in parentheses, or its value as a number',
    );
  }
}

function isKnown(name: string): boolean {
  return (
    FUNCTION_NAMES.has(name) || BUILTIN_NAMES.has(name) || LANGUAGE_WORDS.has(name) || /^u?int\d+$/.test(name)
  );
}

function preprocessor(start: number, message: string, allowed?: string): Violation {
  return {
    rule: 'preprocessor',
    message,
    allowed:
      allowed ??
      'lines such as #include <linux/sched.h>, #define NAME (1 << 4), #ifdef NAME, each on one line',
    start,
  };
}
