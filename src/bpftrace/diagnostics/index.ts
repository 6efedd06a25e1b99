export { DIAGNOSTIC_CODES, type DiagnosticCode } from './codes.js';
export { type Context, diagnose } from './diagnose.js';
export { type Diagnostic, diagnosticSchema, type ToldDiagnostic } from './diagnostic.js';
export type { DiagnosticHost } from './hints/advice.js';
export { explain, isAdvised } from './hints/index.js';
export { headline, worthShowing } from './show.js';
export { CUT } from './text.js';
