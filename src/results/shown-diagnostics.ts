import type { ToldDiagnostic } from '../bpftrace/diagnostics/index.js';
import { jsonBytes, shortened } from './bytes.js';
import { diagnosticLines } from './diagnostic-text.js';

/** Of the bytes that all may take, what one text of a diagnostic may. */
const TEXT_SHARE = 1 / 3;

/** The first diagnostics, within `bytes`: long texts are shortened, and `left` says how many had no room. */
export function shownDiagnostics(
  all: readonly ToldDiagnostic[],
  bytes: number,
): { shown: ToldDiagnostic[]; left: number } {
  const shown: ToldDiagnostic[] = [];
  let room = bytes;
  for (const diagnostic of all) {
    const fitted = diagnosticCost(diagnostic) <= room ? diagnostic : fittedTo(diagnostic, bytes * TEXT_SHARE);
    room -= diagnosticCost(fitted);
    if (room < 0) break;
    shown.push(fitted);
  }
  return { shown, left: all.length - shown.length };
}

function diagnosticCost(diagnostic: ToldDiagnostic): number {
  const text = diagnosticLines([diagnostic]).join('\n');
  return Math.max(jsonBytes(diagnostic), Buffer.byteLength(text)) + 1;
}

/**
 * Without what only illustrates it. A line of the program is left out rather than cut, since columns count from
 * its beginning.
 */
function fittedTo(diagnostic: ToldDiagnostic, textBytes: number): ToldDiagnostic {
  const {
    excerpt: _excerpt,
    notes: _notes,
    replacement: _replacement,
    log,
    hint,
    message,
    ...rest
  } = diagnostic;
  return {
    ...rest,
    message: short(message, textBytes),
    ...(hint !== undefined && { hint: short(hint, textBytes / 2) }),
    ...(log !== undefined && { log: short(log, textBytes / 2) }),
  };
}

function short(text: string, bytes: number): string {
  return shortened(text, bytes, leftOut => `…[+${leftOut} bytes]`);
}
