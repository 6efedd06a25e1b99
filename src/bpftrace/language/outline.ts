import { stringValue, type Token } from './token.js';

/** What a program consists of, in the order of its text. */
export interface Outline {
  items: Item[];
  probes: Probe[];
  /** Where the program stops being one; what stands before it is there. */
  problem?: {
    message: string;
    start: number;
    /** There is a version of bpftrace that may take it all the same; otherwise all of them refuse it as it stands. */
    isTakenBySome: boolean;
  };
}

interface Span {
  /** Offsets in the program, the second behind the last unit. */
  start: number;
  end: number;
  tokens: readonly Token[];
}

/**
 * All but the probes: lines of the preprocessor, C definitions, `config = { … }`, `import "…"`,
 * `macro f($x) { … }`, `fn f($x : int64) : int64 { … }`, `let @a = hash(5)`.
 */
export interface Item extends Span {
  kind: 'directive' | 'definition' | 'config' | 'import' | 'macro' | 'function' | 'declaration';
}

export interface Probe extends Span {
  attachPoints: AttachPoint[];
  /** Between its slashes. */
  predicate?: Span;
  /** Between its braces. */
  body: Span;
}

export interface AttachPoint extends Span {
  /** As bpftrace reads it: no spaces between its tokens; `kprobe:"vfs read"` keeps its quotes. */
  text: string;
  /** What its colons part, without quotes: `['uprobe', '/bin/bash', 'readline']`. A probe's name (`name@kprobe:f`) is left out. */
  parts: string[];
}

const ITEM_KINDS: Readonly<Record<string, Item['kind']>> = {
  config: 'config',
  import: 'import',
  macro: 'macro',
  fn: 'function',
  let: 'declaration',
};

/** Reads tokens without comments, from `tokenize`. */
export function outline(tokens: readonly Token[]): Outline {
  const outlined: Outline = { items: [], probes: [] };
  const invalid = tokens.find(({ kind }) => kind === 'invalid');
  const reader = new Reader(invalid ? tokens.slice(0, -1) : tokens);
  try {
    while (!reader.isAtEnd) readItem(reader, outlined);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    outlined.problem = { message: error.message, start: error.start, isTakenBySome: false };
  }
  if (invalid) {
    const { problem = 'it is malformed', start, isTakenBySome = true } = invalid;
    outlined.problem = { message: problem, start, isTakenBySome };
  }
  return outlined;
}

function readItem(reader: Reader, outlined: Outline): void {
  const first = reader.next();
  const from = reader.index - 1;
  if (first.kind === 'directive' || first.kind === 'definition') {
    outlined.items.push({ kind: first.kind, ...reader.span(from) });
    return;
  }
  if (first.kind === 'shebang' || first.text === ';') return;
  if (first.text === '__attribute__') {
    reader.skipPast(')');
    return;
  }
  const kind = first.kind === 'name' ? ITEM_KINDS[first.text] : undefined;
  if (kind) {
    reader.skipPast(kind === 'import' || kind === 'declaration' ? ';' : '}');
    outlined.items.push({ kind, ...reader.span(from) });
    return;
  }
  reader.index = from;
  outlined.probes.push(readProbe(reader));
}

function readProbe(reader: Reader): Probe {
  const from = reader.index;
  const attachPoints: AttachPoint[] = [];
  let pointFrom = from;
  let token = reader.next();
  for (; token.text !== '{' && token.text !== '/'; token = reader.next()) {
    if (token.text !== ',' || token.kind !== 'symbol') continue;
    attachPoints.push(attachPoint(reader.span(pointFrom, reader.index - 1)));
    pointFrom = reader.index;
  }
  if (reader.index - 1 > pointFrom) attachPoints.push(attachPoint(reader.span(pointFrom, reader.index - 1)));
  let predicate: Span | undefined;
  if (token.text === '/') {
    const predicateFrom = reader.index;
    token = reader.next();
    while (!(token.text === '/' && reader.peek()?.text === '{')) token = reader.next();
    predicate = reader.span(predicateFrom, reader.index - 1);
    reader.next();
  }
  const bodyFrom = reader.index;
  reader.index--;
  reader.skipPast('}');
  const body = reader.span(bodyFrom, reader.index - 1);
  return { ...reader.span(from), attachPoints, body, ...(predicate && { predicate }) };
}

function attachPoint(span: Span): AttachPoint {
  const isNamed = span.tokens[1]?.text === '@';
  const parts = [''];
  for (const token of span.tokens.slice(isNamed ? 2 : 0)) {
    if (token.kind === 'symbol' && token.text === ':') parts.push('');
    else parts.push(`${parts.pop()}${plainText(token)}`);
  }
  return { ...span, text: span.tokens.map(({ text }) => text).join(''), parts };
}

function plainText(token: Token): string {
  return token.kind === 'string' ? stringValue(token) : token.text;
}

class Malformed extends Error {
  constructor(
    message: string,
    readonly start: number,
  ) {
    super(message);
  }
}

class Reader {
  /** Of the token that is next. */
  index = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get isAtEnd(): boolean {
    return this.index >= this.tokens.length;
  }

  peek(): Token | undefined {
    return this.tokens[this.index];
  }

  next(): Token {
    const token = this.tokens[this.index++];
    if (!token) throw new Malformed('it ends too early', this.tokens.at(-1)?.end ?? 0);
    return token;
  }

  /** Goes behind the first `closer` that is outside all brackets opened from here on. */
  skipPast(closer: string): void {
    let depth = 0;
    for (;;) {
      const { kind, text } = this.next();
      if (kind !== 'symbol') continue;
      if (text === '{' || text === '(') depth++;
      else if (text === '}' || text === ')') depth--;
      if (text === closer && depth <= 0) return;
    }
  }

  /** From the token `from` to the one before `to`. */
  span(from: number, to = this.index): Span {
    const tokens = this.tokens.slice(from, to);
    const start = tokens[0]?.start ?? this.tokens[from]?.start ?? 0;
    return { start, end: tokens.at(-1)?.end ?? start, tokens };
  }
}
