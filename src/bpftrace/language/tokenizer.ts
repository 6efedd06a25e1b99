import { readDefinition } from './definition.js';
import { PlaceInProgram } from './place.js';
import type { Piece, Token } from './token.js';

/**
 * bpftrace's own lexer, from 0.17 (src/lexer.l) to 0.27 (a parser written by hand), as one reading that all of
 * them agree on. Policy decides on these tokens, so where one version takes for code what another takes for a
 * comment or a string, the token is `invalid`, and nothing behind it is read.
 */

const SPACE = /[ \t\r\n]+/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const SHEBANG = /#![^\n]*/y;
/** 0.17 takes a `#` at the end of a line for the beginning of a directive that stands on the next one. */
const DIRECTIVE = /#(?![!\r\n])(?:[^\n\\]|\\\n|\\(?!\n))*/y;
const STRING = /"(?:[^"\\\n]|\\(?:[ntr"\\]|[0-3]?[0-7]{1,2}|[xX][0-9a-fA-F]{1,2}))*"/y;
const NAME = /[A-Za-z_]\w*/y;
const NUMBER =
  /(?:0[xX][0-9a-fA-F]+|\d(?:[\d_]*\d)?(?:[uU]?[lL]{0,2})(?:[eE]\d(?:[\d_]*\d)?)?(?:ns|us|ms|[smhd])?)(?!\w)/y;
/** In an attach point a number may run on into letters: `kprobe:foo$1`, `usdt:…:3c59x`. */
const NUMBER_IN_ATTACH_POINT = /\d\w*/y;
/** 0.17 knows no `+` here and reads it as a symbol, which gives the same attach point. */
const PATH = /[\w\-./#*+]+/y;
const SIGILS = [
  ['map', /@(?:[A-Za-z_]\w*)?/y],
  ['variable', /\$[A-Za-z_]\w*/y],
  ['positional', /\$(?:\d+|#)/y],
] as const;
const SYMBOL = /<<=|>>=|\.\.|->|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|[-+*/%&|^=!<>~?:;,.(){}[\]]/y;

interface Options {
  /** Give comments too; they are left out otherwise. */
  comments?: boolean;
}

export function tokenize(program: string, options: Options = {}): Token[] {
  const tokens: Token[] = [];
  const place = new PlaceInProgram();
  const refuse = (start: number, problem: string, isTakenBySome: boolean): Token[] => [
    ...tokens,
    { kind: 'invalid', text: program.slice(start), start, end: program.length, problem, isTakenBySome },
  ];
  // 0.17 and 0.23 take a NUL for the end of the program, 0.27 reads on.
  const nul = program.indexOf('\0');
  if (nul >= 0) return refuse(nul, 'a NUL character', true);

  let at = 0;
  let isGlued = false;
  while (at < program.length) {
    const space = match(SPACE, program, at);
    if (space !== undefined) {
      at += space.length;
      isGlued = false;
      continue;
    }
    const piece = readPiece(program, at, place, isGlued);
    if ('problem' in piece) return refuse(at, piece.problem, piece.isTakenBySome);
    const token: Token = { ...piece, start: at, end: at + piece.text.length };
    at = token.end;
    isGlued = token.kind !== 'comment';
    if (token.kind === 'comment') {
      if (options.comments) tokens.push(token);
      continue;
    }
    if (!place.accepts(token)) return refuse(token.start, `${token.text} where a probe should begin`, true);
    tokens.push(token);
    place.enter(token);
  }
  return tokens;
}

/** @param isGlued no space or comment stands before it */
function readPiece(program: string, at: number, place: PlaceInProgram, isGlued: boolean): Piece {
  if (isGlued && place.expectsPath) {
    const path = match(PATH, program, at);
    if (path !== undefined && !place.isPlainPath(path))
      return ambiguous('a comment glued to an attach point');
    if (path !== undefined) return { kind: 'path', text: path };
  }
  const character = String.fromCodePoint(program.codePointAt(at) ?? 0);
  if (program.startsWith('//', at) || program.startsWith('/*', at)) {
    // 0.27 reads on after `kprobe:"f"/*`, as a part of the attach point.
    if (isGlued && place.isInsideAttachPoint) return ambiguous('a comment glued to an attach point');
    return found('comment', match(COMMENT, program, at)) ?? ambiguous('a comment that has no end');
  }
  if (character === '#') {
    const directive = place.isBetweenItems ? match(DIRECTIVE, program, at) : undefined;
    return (
      // Up to 0.23 any line may be one, in 0.27 only the first.
      (at === 0 ? found('shebang', match(SHEBANG, program, at)) : undefined) ??
      found('directive', directive) ??
      ambiguous('a # that begins no directive here')
    );
  }
  if (character === '"') {
    const problem = 'a string that has no end on its line, or an escape that bpftrace does not know';
    return found('string', match(STRING, program, at)) ?? { problem, isTakenBySome: false };
  }
  const name = match(NAME, program, at);
  if (name === 'struct' || name === 'union' || name === 'enum')
    return readDefinition(program, at, name, place);
  if (name !== undefined) return { kind: 'name', text: name };
  // 0.25 on has `name@kprobe:f`, and no version has maps there.
  if (character === '@' && place.isInsideAttachPoint) return { kind: 'symbol', text: '@' };
  for (const [kind, pattern] of SIGILS) {
    const text = match(pattern, program, at);
    if (text !== undefined) return { kind, text };
  }
  const loose = place.isInsideAttachPoint ? match(NUMBER_IN_ATTACH_POINT, program, at) : undefined;
  const number = loose ?? match(NUMBER, program, at);
  if (number !== undefined) return { kind: 'number', text: number };
  const symbol = match(SYMBOL, program, at);
  if (symbol === '{' && !place.mayOpenBrace) return ambiguous('a block inside a predicate');
  // From 0.25 on nearly every character may stand in an attach point.
  const problem = `the character ${JSON.stringify(character)}`;
  return found('symbol', symbol) ?? { problem, isTakenBySome: !place.isInsideBraces };
}

function match(pattern: RegExp, program: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(program)?.[0];
}

function found(kind: Token['kind'], text: string | undefined): Piece | undefined {
  return text === undefined ? undefined : { kind, text };
}

function ambiguous(problem: string): Piece {
  return { problem, isTakenBySome: true };
}
