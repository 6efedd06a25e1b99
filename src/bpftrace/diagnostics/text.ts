import { type AttachPoint, type Outline, outline, type Probe } from '../language/outline.js';
import { positionOf, type Token } from '../language/token.js';
import { tokenize } from '../language/tokenizer.js';
import type { Span } from './said.js';

/** Offsets in a program, in UTF-16 units, the end one past the last. */
export interface Range {
  start: number;
  end: number;
}

export interface Place {
  line: number;
  column: number;
  end_column?: number;
  excerpt: string;
}

/** A comment or a string: names in them are no names. */
const HIDDEN = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"/g;
/** Of an excerpt, in UTF-16 units. */
const EXCERPT_MAX = 240;
/** What begins an excerpt that is a piece of a longer line: its columns are not the line's. */
export const CUT = '…';

/** The program that a message is about: from bpftrace's bytes to characters, and from names to their places. */
export class ProgramText {
  readonly tokens: readonly Token[];
  readonly outline: Outline;
  private readonly lineStarts: number[];
  /** The program with blanks for comments and strings: offsets agree. */
  readonly bare: string;

  constructor(readonly text: string) {
    this.tokens = tokenize(text);
    this.outline = outline(this.tokens);
    this.lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    this.bare = text.replace(HIDDEN, hidden => hidden.replace(/[^\n]/g, ' '));
  }

  /** Behind the last thing of the program: what is missing at its end is missed there. */
  get end(): Range {
    const end = this.text.trimEnd().length;
    return { start: end, end };
  }

  get attachPoints(): AttachPoint[] {
    return this.outline.probes.flatMap(probe => probe.attachPoints);
  }

  /** What bpftrace said in bytes. A place behind the text, in what was added to it too, is its end. */
  rangeOf(span: Span): Range {
    const last = span.endLine ?? span.line;
    const start = this.offsetOf(span.line, span.column ?? 1);
    const end = this.offsetOf(
      last,
      span.endColumn ?? (span.column ? span.column + 1 : Number.MAX_SAFE_INTEGER),
    );
    if (start >= this.end.end) return this.end;
    return { start, end: Math.max(start, Math.min(end, this.end.end)) };
  }

  /** @param column in bytes, from 1 */
  private offsetOf(line: number, column: number): number {
    const start = this.lineStarts[line - 1];
    if (start === undefined) return this.text.length;
    const text = this.lineAt(line);
    if (/^[\0-\x7f]*$/.test(text)) return start + Math.min(column - 1, text.length);
    return (
      start +
      Buffer.from(text)
        .subarray(0, column - 1)
        .toString().length
    );
  }

  private lineAt(line: number): string {
    const start = this.lineStarts[line - 1] ?? this.text.length;
    return this.text.slice(start, (this.lineStarts[line] ?? this.text.length + 1) - 1);
  }

  placeOf({ start, end }: Range): Place {
    const { line, column } = positionOf(this.text, start);
    const whole = this.lineAt(line);
    const endColumn = Math.min(column + (end - start), whole.length + 1);
    return {
      line,
      column,
      ...(endColumn > column && { end_column: endColumn }),
      excerpt: excerptOf(whole, column),
    };
  }

  /** Where `name` stands, outside comments and strings, beginning within `within`. */
  find(name: string, within: Range = { start: 0, end: this.text.length }): Range[] {
    const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ /g, '\\s+');
    const pattern = new RegExp(`(?<![\\w$@])${escaped}(?!\\w)`, 'g');
    return [...this.bare.matchAll(pattern)]
      .map(({ index, 0: found }) => ({ start: index, end: index + found.length }))
      .filter(({ start }) => start >= within.start && start < within.end);
  }

  /**
   * A place that clang names. It is given the directives and definitions of the preamble from line 2 on, each
   * beginning a line of its own.
   */
  inPreamble(line: number, column: number): Range | undefined {
    let left = line - 2;
    for (const { kind, tokens } of this.outline.items) {
      const [token] = tokens;
      if (!token || (kind !== 'directive' && kind !== 'definition')) continue;
      const lines = token.text.split('\n');
      if (left < lines.length) {
        const before = lines.slice(0, left).join('\n').length + (left > 0 ? 1 : 0);
        const start = token.start + before + column - 1;
        const word = /^\w+/.exec(this.text.slice(start))?.[0] ?? ' ';
        return left < 0 ? undefined : { start, end: start + word.length };
      }
      left -= lines.length;
    }
    return undefined;
  }

  /** The one attach point that a range touches. */
  attachPointAt({ start, end }: Range): AttachPoint | undefined {
    const within = this.attachPoints.filter(
      point => point.start < Math.max(end, start + 1) && point.end > start,
    );
    return within.length === 1 ? within[0] : undefined;
  }

  slice({ start, end }: Range): string {
    return this.text.slice(start, end);
  }

  /** The probe whose attach points, predicate or body a place is in. */
  probeAt({ start }: Range): Probe | undefined {
    return this.outline.probes.find(probe => start >= probe.start && start < probe.end);
  }

  /**
   * The attach point that bpftrace names: `kprobe:vfs_read`, `syscalls:sys_enter_read`, what a wildcard of it
   * came to, or, with its punctuation lost, the name of a BPF program (`interval_s_1_1`).
   */
  attachPointNamed(name: string): AttachPoint | undefined {
    const points = this.attachPoints;
    const plain = (text: string): string => text.replace(/\W/g, '_');
    return (
      points.find(({ text }) => text === name) ??
      points.find(({ text }) => text.endsWith(`:${name}`)) ??
      points.find(({ text }) => text.startsWith(`${name}:`)) ??
      points.find(({ text }) => text.includes('*') && globOf(text).test(name)) ??
      points.find(
        ({ text }) => plain(name).replace(/_\d+$/, '').toLowerCase() === plain(text).toLowerCase(),
      ) ??
      points.find(
        ({ parts }) => name.length > 3 && parts.slice(1).join(':') === name.split(':').slice(-2).join(':'),
      ) ??
      points.find(({ text }) => text.includes('*') && globOf(plain(text).replace(/_*$/, '*')).test(name))
    );
  }
}

function excerptOf(line: string, column: number): string {
  if (line.length <= EXCERPT_MAX) return line;
  const start = Math.max(0, column - 1 - EXCERPT_MAX / 3);
  return `${CUT}${line.slice(start, start + (EXCERPT_MAX * 2) / 3)}${CUT}`;
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .split(/\*+/)
    .map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^(?:.*:)?${source}$`);
}
