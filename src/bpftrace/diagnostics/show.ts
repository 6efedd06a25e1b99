import type { Diagnostic } from './diagnostic.js';

/** The diagnostics worth showing: all of them for a failure, with the noise last; without it otherwise. */
export function worthShowing(diagnostics: readonly Diagnostic[], failed: boolean): Diagnostic[] {
  const telling = diagnostics.filter(diagnostic => !diagnostic.noise);
  if (!failed) return telling;
  // Once something else is the cause, what every run says explains nothing.
  const explained = telling.some(({ severity, code }) => severity === 'error' && !UNEXPLAINED.has(code));
  return explained ? telling : [...telling, ...diagnostics.filter(diagnostic => diagnostic.noise)];
}

/** Errors that something said on every run may explain, such as a limit of locked memory. */
const UNEXPLAINED: ReadonlySet<string> = new Set(['load', 'no_memory', 'permission', 'attach', 'other']);

/** The first error in one line: `1:20: syntax error, …`; else the first thing said at all. */
export function headline(diagnostics: readonly Diagnostic[]): string | undefined {
  const telling = diagnostics.filter(diagnostic => !diagnostic.noise);
  const first = telling.find(({ severity }) => severity === 'error') ?? telling[0] ?? diagnostics[0];
  if (!first) return undefined;
  const place = first.line === undefined ? '' : `${first.line}:${first.column ?? 1}: `;
  return place + first.message;
}
