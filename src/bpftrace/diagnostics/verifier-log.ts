import type { Diagnostic } from './diagnostic.js';

/** Of the log given, in UTF-16 units: more of its end, which says why, than of its head. */
const HEAD_MAX = 1024;
const TAIL_MAX = 3072;
/** What says nothing about the cause. */
const STATISTICS = /^(?:processed \d+ insns|verification time|stack depth|cur state|old state|-- |;)/;
const INSTRUCTION = /^(?:\d+: |from \d+ to \d+|R\d+[_=]|mark_precise|last_idx|regs=|parent )/;

/** The kernel's log, bounded, and its last telling line: `infinite loop detected at insn 0`. */
export function verifierLog(
  lines: readonly string[],
): Pick<Diagnostic, 'log' | 'log_lines'> & { reason?: string } {
  if (lines.length === 0) return {};
  const reason = lines.findLast(line => !STATISTICS.test(line) && !INSTRUCTION.test(line));
  return { log: bounded(lines), log_lines: lines.length, ...(reason !== undefined && { reason }) };
}

function bounded(lines: readonly string[]): string {
  const whole = lines.join('\n');
  if (whole.length <= HEAD_MAX + TAIL_MAX) return whole;
  const head = take(lines, HEAD_MAX);
  const tail = take([...lines.slice(head.length)].reverse(), TAIL_MAX).reverse();
  const left = lines.length - head.length - tail.length;
  return [...head, `(${left} lines left out)`, ...tail].join('\n');
}

function take(lines: readonly string[], max: number): string[] {
  const taken: string[] = [];
  let length = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > max) break;
    taken.push(line);
  }
  return taken;
}
