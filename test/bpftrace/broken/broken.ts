import type { DiagnosticCode } from '../../../src/bpftrace/diagnostics/index.js';

/** The releases that are tested; their first two numbers. */
export type Minor = '0.17' | '0.23' | '0.27';

export interface Expected {
  code: DiagnosticCode;
  /** `line:column` where it differs from the mark's; null: it has no place. */
  at?: string | null;
  /** Stands in the hint; null: there is none. */
  hint?: string | null;
}

/** A program that bpftrace refuses, and what is to be told of it. */
export interface Broken extends Expected {
  /** With a `▸` where the error begins; without one no place is expected. */
  program: string;
  /** What differs by release. `fine`: it accepts the program. */
  but?: Partial<Record<Minor, 'fine' | Partial<Expected>>>;
}
