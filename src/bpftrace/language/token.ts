/**
 * A piece of a bpftrace program.
 *
 *   name        an identifier or keyword: `kprobe`, `printf`, `if`
 *   map         `@`, `@bytes`
 *   variable    `$x`
 *   positional  `$1`, `$#`
 *   number      `42`, `1_000`, `0x1f`, `1e6`, `10ul`, `100ms`
 *   string      with its quotes and escapes; `stringValue` reads it
 *   path        what follows a colon of an attach point without a space: `/bin/bash`, `vfs_*`, `hz`
 *   symbol      an operator or a bracket
 *   directive   a line of the C preprocessor, with the lines that a `\` at its end continues it on
 *   definition  a `struct`, `union` or `enum` with its body
 *   shebang     the first line, when it begins with `#!`
 *   comment     only when asked for
 *   invalid     the rest of the program from a place on where it is malformed, or where versions of bpftrace
 *               read it differently; always the last one
 */
export interface Token {
  kind: TokenKind;
  text: string;
  /** Offset of the first UTF-16 unit. */
  start: number;
  /** Offset behind the last one. */
  end: number;
  /** Of an invalid one: what is wrong with it. */
  problem?: string;
  /** Of an invalid one: there is a version of bpftrace that may take it; otherwise all of them refuse the program. */
  isTakenBySome?: boolean;
}

/** What stands at a place: a token's kind and text, or why none does. */
export type Piece = Pick<Token, 'kind' | 'text'> | { problem: string; isTakenBySome: boolean };

type TokenKind =
  | 'name'
  | 'map'
  | 'variable'
  | 'positional'
  | 'number'
  | 'string'
  | 'path'
  | 'symbol'
  | 'directive'
  | 'definition'
  | 'shebang'
  | 'comment'
  | 'invalid';

/** A place as bpftrace tells it: both from 1, the column in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

export function positionOf(program: string, offset: number): Position {
  const before = program.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', '\\': '\\' };

/** What a string token stands for. Octal and hexadecimal escapes give one character for each byte. */
export function stringValue(token: Token): string {
  return token.text
    .slice(1, -1)
    .replace(/\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))/g, (_, octal, hex, letter) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      return ESCAPES[letter] ?? letter;
    });
}

/** The names of all maps, each once, in the order of their first use. */
export function mapNames(tokens: readonly Token[]): string[] {
  return [...new Set(tokens.filter(({ kind }) => kind === 'map').map(({ text }) => text))];
}
