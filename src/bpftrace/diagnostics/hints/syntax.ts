import { withoutWrapping } from '../../language/wrapping.js';
import { listHelpers } from '../../reference/index.js';
import { atLeast } from '../../version.js';
import type { Range } from '../text.js';
import { type Adviser, type Question, versionText } from './advice.js';
import { HABITS, LATER } from './habits.js';
import { OTHER_WORDS_FOR_NAMES } from './names.js';

export const syntaxError: Adviser = question => {
  const { finding, text, version } = question;
  const { range, message } = finding;
  const alone = withoutWrapping(text.text);
  if (alone !== undefined) return { hint: `hand in ${alone}` };
  if (!range) return undefined;
  const before = text.text.slice(Math.max(0, range.start - 200), range.start);
  const at = text.text.slice(range.start, range.start + 200);
  const later = LATER.find(
    each =>
      each.at.test(at) && (each.before?.test(before) ?? true) && version && !atLeast(version, each.since),
  );
  if (later) {
    return {
      code: 'version',
      hint: `${later.name} needs bpftrace ${later.since}, ${versionText(version)}; ${later.instead}`,
    };
  }
  if (/unterminated string/.test(message)) return { hint: 'close the string with " on the same line' };
  if (/during comment/.test(message)) return { hint: 'close the comment with */' };
  if (/invalid escape/i.test(message))
    return { hint: 'escapes are \\n \\t \\r \\" \\\\ \\xNN and octal \\NNN; write \\\\ for a backslash' };
  if (/immutable/.test(message))
    return { hint: 'parts of a value cannot be assigned: keep each in a map of its own' };
  if (/expand macro/.test(message))
    return { hint: 'a #define that is used in a program must be a whole expression' };
  if (/too large|overflow error/.test(message)) return { hint: 'numbers go up to 18446744073709551615' };
  if (/break|continue/.test(message)) return { hint: 'use return; to leave a probe' };
  if (/attach point/.test(message))
    return { hint: 'a probe comes first: tracepoint:…, kprobe:…, interval:s:1 { … }' };
  if (/is out of integer range/.test(message))
    return { hint: 'parameters of the command line count from $1, and there are none here' };
  if (/overflow or underflow/.test(message)) return { hint: 'the result is no number: is it divided by 0?' };
  const block = blockHint(question, range);
  if (block) return block;
  const called = functionAlone(question, before);
  if (called) return called;
  if (/^=(?!=)/.test(at) && /predicate/.test(message)) return { hint: 'write == to compare' };
  if (/close predicate|expecting end predicate/.test(message))
    return { hint: 'close the predicate: / condition / { … }' };
  const habit = HABITS.find(each => (each.at?.test(at) ?? true) && (each.before?.test(before) ?? true));
  return habit && { hint: habit.hint };
};

/** Braces that do not come in pairs: the program's end, or a probe inside another one's block. */
function blockHint({ finding, text }: Question, range: Range): { hint: string } | undefined {
  const atEnd = range.start >= text.end.start;
  const open: number[] = [];
  let excess: number | undefined;
  for (const { index, 0: brace } of text.bare.matchAll(/[{}]/g)) {
    if (brace === '{') open.push(index);
    else if (open.pop() === undefined) excess ??= index;
  }
  const place = (offset: number): string => {
    const { line, column } = text.placeOf({ start: offset, end: offset + 1 });
    return `${line}:${column}`;
  };
  if (excess !== undefined && (atEnd || range.start === excess)) {
    return { hint: `the } at ${place(excess)} closes nothing: remove it` };
  }
  const depth = (text.bare.slice(0, range.start).match(/[{}]/g) ?? []).reduce(
    (sum, each) => sum + (each === '{' ? 1 : -1),
    0,
  );
  if (
    depth === 0 &&
    /expect\w* '?\{/.test(finding.message) &&
    !/\btypedef\b|\/\s*$/.test(text.bare.slice(0, range.start))
  ) {
    return { hint: 'a probe needs a block: probe { … } or probe / condition / { … }' };
  }
  const unclosed = open.at(-1);
  const isProbe = /^(?:[a-z]+:\S+|BEGIN\b|END\b)/.test(
    text.text.slice(text.text.lastIndexOf('\n', range.start) + 1),
  );
  if (unclosed !== undefined && (atEnd || isProbe))
    return { hint: `the { at ${place(unclosed)} is not closed: add }` };
  return undefined;
}

/** `@[comm] = count;` and the like. */
function functionAlone({ finding, text, version }: Question, before: string): { hint: string } | undefined {
  const name = /=\s*([a-z_]+)\s*$/.exec(before)?.[1];
  if (name === undefined || !/unexpected ;/.test(finding.message)) return undefined;
  const helper = listHelpers(version).find(each => each.name === name && /function/.test(each.kind));
  if (helper) return { hint: `${name} is a function: ${helper.signature}` };
  const other = OTHER_WORDS_FOR_NAMES[name];
  if (other !== undefined) return { hint: `did you mean ${other}?` };
  return text.bare.includes(name)
    ? { hint: `${name} is no value here; text stands in double quotes` }
    : undefined;
}
