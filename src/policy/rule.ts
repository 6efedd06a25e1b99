import { type Outline, outline } from '../bpftrace/language/outline.js';
import type { Token } from '../bpftrace/language/token.js';
import { tokenize } from '../bpftrace/language/tokenizer.js';
import { withoutWrapping } from '../bpftrace/language/wrapping.js';

export interface ProgramText {
  text: string;
  /** Without comments; well-formed. */
  tokens: readonly Token[];
  outline: Outline;
}

/** What a program may not do. */
export interface Violation {
  rule: RuleName;
  /** What the program does, and that it may not. */
  message: string;
  /** What it may do instead. */
  allowed: string;
  /** Offset in the program. */
  start: number;
}

export type RuleName =
  | 'malformed'
  | 'preprocessor'
  | 'c_definition'
  | 'import'
  | 'function'
  | 'read_file'
  | 'binary'
  | 'probe_type'
  | 'probe_list'
  | 'pin'
  | 'scope'
  | 'rate'
  | 'config'
  | 'size';

/** Finds what a rule forbids, in the order of the program's text. */
export type Rule = (program: ProgramText) => Iterable<Violation>;

/** Words of what reads or writes files, or leads to it. */
const FILE_WORDS =
  /#|%:|\?\?=|\b(?:cat|import|cgroupid|skboutput|config|struct|union|enum|iter|it|u|ur|U|uprobe|uretprobe|usdt)\b/;

/**
 * A program that can be judged, or why this one can't. `hopeless` is one that no bpftrace takes and that names
 * nothing of a file: bpftrace's own words about it help more than ours. With `isStrict` there is none.
 */
export function readProgram(text: string, { isStrict = false } = {}): ProgramText | Violation | 'hopeless' {
  const tokens = tokenize(text);
  const read = outline(tokens);
  if (!read.problem) return { text, tokens, outline: read };
  if (!isStrict && !read.problem.isTakenBySome && !FILE_WORDS.test(text)) return 'hopeless';
  return {
    rule: 'malformed',
    message: `from here on the program can't be read: ${read.problem.message}`,
    allowed:
      withoutWrapping(text) ?? 'a well-formed program that every version of bpftrace reads the same way',
    start: read.problem.start,
  };
}
