import type { KeySpec } from '../../contract/program-map.js';
import { stringValue, type Token } from './token.js';

/**
 * What an expression gives, as far as the text tells: enough to take printed keys apart. `tuple` stands for a
 * value that prints as several parts.
 */
export type ValueType = KeySpec | 'tuple';

/** What the names in an expression stand for, elsewhere in the program. */
export interface Names {
  variable(name: string): ValueType;
  map(name: string): ValueType;
}

export const ANY: KeySpec = { type: 'any' };
const INT: KeySpec = { type: 'int' };
const TEXT: KeySpec = { type: 'text' };
const WORD: KeySpec = { type: 'word' };
const STACK: KeySpec = { type: 'stack' };

/** A literal longer than this may be cut, and one with other characters is not printed as it is written. */
const PLAIN_LITERAL = /^[\x20-\x7e]{0,62}$/;

/** Builtins and functions by what they give; those of another type, or of several, are absent. */
const GIVES = new Map<string, KeySpec>([
  ...names(
    INT,
    'pid tid uid gid nsecs elapsed cpu ncpus cgroup curtask rand retval ctx numaid jiffies arg0 arg1',
  ),
  ...names(
    INT,
    'arg2 arg3 arg4 arg5 arg6 arg7 arg8 arg9 sarg0 sarg1 sarg2 sarg3 sarg4 sarg5 sarg6 sarg7 sarg8',
  ),
  ...names(INT, 'reg kaddr uaddr cgroupid strlen strncmp strcontains sizeof offsetof bswap len ppid has_key'),
  ...names(TEXT, 'comm func probe username str buf path strftime cgroup_path strerror usym'),
  ...names(WORD, 'ntop macaddr ksym'),
  ...names(STACK, 'kstack ustack'),
]);
const OPERATORS = new Set('+ - * / % & | ^ << >> == != < > <= >= && || ! ~'.split(' '));
const INTEGER_TYPE = /^(?:u?int(?:8|16|32|64)|u?int|bool)$/;
const OPENERS = new Set(['(', '[', '{']);
const CLOSERS = new Set([')', ']', '}']);

function names(spec: KeySpec, list: string): [string, KeySpec][] {
  return list.split(' ').map(name => [name, spec]);
}

export function typeOf(tokens: readonly Token[], known: Names): ValueType {
  const inner = withoutParentheses(tokens);
  const [first, second] = inner;
  if (!first) return ANY;
  if (splitAt(inner, ',').length > 1) return 'tuple';
  const question = topLevel(inner).find(([, { text }]) => text === '?')?.[0];
  if (question !== undefined) return ofTernary(inner.slice(question + 1), known);
  if (inner.length === 1) return ofWord(first, known);
  if (first.text === '(') return ofCast(inner);
  if (topLevel(inner).some(([, { kind, text }]) => kind === 'symbol' && OPERATORS.has(text))) return INT;
  const isWhole = (open: number): boolean => closing(inner, open) === inner.length - 1;
  if (first.kind === 'name' && second?.text === '(' && isWhole(1)) return GIVES.get(first.text) ?? ANY;
  if (first.kind === 'map' && second?.text === '[' && isWhole(1)) return known.map(first.text);
  return ANY;
}

function ofWord({ kind, text, ...rest }: Token, known: Names): ValueType {
  if (kind === 'number') return INT;
  if (kind === 'variable') return known.variable(text);
  if (kind === 'map') return known.map(text);
  if (kind === 'name') return GIVES.get(text) ?? ANY;
  if (kind !== 'string') return ANY;
  const value = stringValue({ kind, text, ...rest });
  return PLAIN_LITERAL.test(value) ? { type: 'text', literals: [value] } : TEXT;
}

/** `(uint64)x`, `(struct task_struct *)curtask`; anything else that begins so is not told. */
function ofCast(tokens: readonly Token[]): ValueType {
  const close = closing(tokens, 0);
  const cast = tokens.slice(1, close);
  const isPointer = cast.at(-1)?.text === '*';
  if (isPointer || (cast.length === 1 && INTEGER_TYPE.test(cast[0]?.text ?? ''))) {
    // `(struct a *)x.b` is the member of what is cast.
    const rest = tokens.slice(close + 1);
    const member = rest.some(({ text }) => text === '.' || text === '->');
    if (isPointer && member) return ANY;
    return cast[0]?.text === 'uint64' && rest.length === 1 ? { type: 'int', unsigned: true } : INT;
  }
  const operated = topLevel(tokens).some(([, { kind, text }]) => kind === 'symbol' && OPERATORS.has(text));
  return operated ? INT : ANY;
}

function ofTernary(tokens: readonly Token[], known: Names): ValueType {
  const colon = topLevel(tokens).findLast(([, { text }]) => text === ':')?.[0];
  if (colon === undefined) return ANY;
  return either(typeOf(tokens.slice(0, colon), known), typeOf(tokens.slice(colon + 1), known));
}

/** The type of what may be one or the other. */
export function either(a: ValueType, b: ValueType): ValueType {
  if (a === 'tuple' || b === 'tuple') return a === b ? a : ANY;
  if (a.literals && b.literals)
    return { type: 'text', literals: [...new Set([...a.literals, ...b.literals])] };
  if (a.type === b.type) return a.unsigned && b.unsigned ? a : { type: a.type };
  const texts = ['text', 'word'];
  return texts.includes(a.type) && texts.includes(b.type) ? TEXT : ANY;
}

/** The pieces between those `separator`s that stand in no brackets. */
export function splitAt(tokens: readonly Token[], separator: string): Token[][] {
  const pieces: Token[][] = [[]];
  let from = 0;
  for (const [i, { text, kind }] of topLevel(tokens)) {
    if (text !== separator || kind !== 'symbol') continue;
    pieces[pieces.length - 1] = tokens.slice(from, i);
    pieces.push([]);
    from = i + 1;
  }
  pieces[pieces.length - 1] = tokens.slice(from);
  return pieces;
}

/** Index of the bracket that closes the one at `open`; the end when none does. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    depth += step(tokens[i]);
    if (depth === 0) return i;
  }
  return tokens.length;
}

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  const isWrapped = tokens[0]?.text === '(' && closing(tokens, 0) === tokens.length - 1;
  return isWrapped ? withoutParentheses(tokens.slice(1, -1)) : tokens;
}

/** The tokens that stand in no brackets, with their indices. */
function topLevel(tokens: readonly Token[]): [number, Token][] {
  const found: [number, Token][] = [];
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    const change = step(token);
    if (depth === 0 && change === 0) found.push([i, token]);
    depth += change;
  }
  return found;
}

function step(token: Token | undefined): number {
  if (token?.kind !== 'symbol') return 0;
  return OPENERS.has(token.text) ? 1 : CLOSERS.has(token.text) ? -1 : 0;
}
