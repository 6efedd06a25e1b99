import { RE2JS } from 're2js';
import { Refusal } from '../contract/errors.js';
import type { RingViews } from '../contract/ring.js';
import { linesDropped, linesTotal, readLines } from './ring-reader.js';

/**
 * Lines by regular expression, on the main thread and therefore bounded in time whatever the expression and
 * the lines are: RE2 takes time in proportion to the text and to the size of the compiled expression, so
 * both are bounded, and between blocks of lines the clock is looked at.
 */
export interface Pattern {
  test(line: string): boolean;
}

const PATTERN_CHARACTERS_MAX = 200;
/** Instructions of the compiled expression; a word takes about one a character. */
const PATTERN_SIZE_MAX = 256;
/** Of a longer line only the beginning is searched. */
const LINE_CHARACTERS_SEARCHED = 8192;
const SEARCH_MS = 50;
const BLOCK_LINES = 64;

/** @throws Refusal `invalid_argument` */
export function compilePattern(source: string): Pattern {
  const invalid = (message: string, next: string): Refusal => new Refusal('invalid_argument', message, next);
  const tooLarge = 'pass a shorter one with smaller repeat counts; plain words are enough for most searches';
  if (source.length > PATTERN_CHARACTERS_MAX) {
    throw invalid(
      `match has ${source.length} characters, at most ${PATTERN_CHARACTERS_MAX} are taken`,
      tooLarge,
    );
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    throw invalid(
      `match is no regular expression: ${error instanceof Error ? error.message : error}`,
      'RE2 syntax is taken: no lookaround, no backreferences; \\ before a character takes it as it is',
    );
  }
  if (compiled.programSize() > PATTERN_SIZE_MAX) {
    throw invalid(`match is too large once its repetitions are written out`, tooLarge);
  }
  return { test: line => compiled.test(line.slice(0, LINE_CHARACTERS_SEARCHED)) };
}

export interface Found {
  /** Sequence numbers and texts of matching lines, at most as many as were wanted. */
  matches: { seq: number; text: string; truncated: boolean }[];
  /** Matching lines, those beyond the wanted ones included. */
  matched: number;
  /** Lines looked at, from `from` on. */
  searched: number;
  /** Where the search began: above `from` where lines had been overwritten. */
  from: number;
  /** Where it ended: at the newest line, or where its time was over. */
  to: number;
}

/** Searches from sequence number `from` on, {@link SEARCH_MS} at most. */
export function searchLines(ring: RingViews, from: number, pattern: Pattern, wanted: number): Found {
  const endAt = performance.now() + SEARCH_MS;
  const total = linesTotal(ring);
  const begin = Math.min(total, Math.max(from, linesDropped(ring)));
  const found: Found = { matches: [], matched: 0, searched: 0, from: begin, to: begin };
  while (found.to < total && (found.searched === 0 || performance.now() < endAt)) {
    const block = readLines(ring, found.to, Math.min(BLOCK_LINES, total - found.to));
    block.lines.forEach((text, i) => {
      if (!pattern.test(text)) return;
      found.matched++;
      const seq = block.offset + i;
      if (found.matches.length < wanted)
        found.matches.push({ seq, text, truncated: block.truncated.includes(i) });
    });
    if (found.searched === 0) found.from = block.offset;
    found.searched += block.lines.length;
    found.to = Math.max(found.to + 1, block.offset + block.lines.length);
  }
  found.to = Math.min(found.to, total);
  return found;
}
