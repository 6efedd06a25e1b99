import type { Diagnostic } from '../bpftrace/diagnostics.js';

/**
 * Diagnostics as bpftrace shows them: the message with its place, the line of the program, what is meant
 * underlined. What is said on every run of the host comes last, and says so.
 */
export function diagnosticLines(diagnostics: readonly Diagnostic[]): string[] {
  const telling = diagnostics.filter(diagnostic => !diagnostic.noise);
  const noise = diagnostics.filter(diagnostic => diagnostic.noise);
  return [
    ...telling.flatMap(oneDiagnostic),
    ...noise.map(({ message }) => `(said on every run here: ${message})`),
  ];
}

function oneDiagnostic(diagnostic: Diagnostic): string[] {
  const { severity, message, excerpt, line, column, end_column: end } = diagnostic;
  const place = line === undefined ? '' : `${line}:${column ?? 1}${end ? `-${end}` : ''}: `;
  const lines = [`${severity}: ${place}${message}`];
  if (excerpt) lines.push(`  ${excerpt}`);
  if (excerpt && column) {
    const indent = excerpt.slice(0, column - 1).replace(/[^\t]/g, ' ');
    lines.push(`  ${indent}${'~'.repeat(Math.max(1, (end ?? column + 1) - column))}`);
  }
  return lines;
}
