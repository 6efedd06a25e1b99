import { CUT, type ToldDiagnostic } from '../bpftrace/diagnostics/index.js';

/** Of an excerpt, in characters: a longer line is not shown for the sake of one place in it. */
const EXCERPT_MAX = 100;
/** Of a verifier's log; the rest is in the structured diagnostic. */
const LOG_LINES = 8;

/**
 * Diagnostics, each with its code, place and hint in a line: `error unknown_function at 1:9: Unknown function:
 * prinft; hint: did you mean printf?`, the line of the program with what is meant underlined, and what else was
 * said. What is said on every run of the host comes last, and says so.
 */
export function diagnosticLines(diagnostics: readonly ToldDiagnostic[]): string[] {
  const telling = diagnostics.filter(diagnostic => !diagnostic.noise);
  const noise = diagnostics.filter(diagnostic => diagnostic.noise);
  return [
    ...telling.flatMap(oneDiagnostic),
    ...noise.map(({ message }) => `(said on every run here: ${message})`),
  ];
}

function oneDiagnostic(diagnostic: ToldDiagnostic): string[] {
  const { severity, code, message, line, column, count, hint, notes = [] } = diagnostic;
  const place = line === undefined ? '' : ` at ${line}:${column ?? 1}`;
  const times = count === undefined ? '' : ` (${count} times)`;
  const advice = hint === undefined ? '' : `; hint: ${hint}`;
  return [
    `${severity} ${code}${place}: ${message.replace(/\.$/, '')}${times}${advice}`,
    ...underlined(diagnostic),
    ...notes.map(note => `  note: ${note}`),
    ...logLines(diagnostic),
  ];
}

function underlined({ excerpt, column, end_column: end }: ToldDiagnostic): string[] {
  if (!excerpt || !column || excerpt.startsWith(CUT) || excerpt.length > EXCERPT_MAX) return [];
  const indent = excerpt.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return [`  ${excerpt}`, `  ${indent}${'~'.repeat(Math.max(1, (end ?? column + 1) - column))}`];
}

function logLines({ log, log_lines: total = 0 }: ToldDiagnostic): string[] {
  if (log === undefined) return [];
  const lines = log.split('\n').slice(-LOG_LINES);
  return [`  verifier log, ${lines.length} of ${total} lines:`, ...lines.map(line => `    ${line}`)];
}
