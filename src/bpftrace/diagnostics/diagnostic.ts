import { z } from 'zod';
import type { DiagnosticCode } from './codes.js';

export const diagnosticSchema = z.object({
  severity: z.enum(['error', 'warning', 'note']),
  // One of DIAGNOSTIC_CODES. Not as an enum: the schema stands in several tools, and each would list them all.
  code: z.string().describe('what it is about: syntax, unknown_probe, type, verifier, ...'),
  message: z.string().describe("bpftrace's words"),
  line: z.number().int().optional().describe('1-based, in the program as submitted'),
  column: z.number().int().optional().describe('1-based, in characters (a tab is one)'),
  end_column: z.number().int().optional().describe('one past the last column'),
  excerpt: z.string().optional().describe('the line of the program'),
  hint: z.string().optional().describe('what to do about it'),
  replacement: z.string().optional().describe('the hint as text to put in place of column to end_column'),
  notes: z.array(z.string()).optional().describe('what else was said about the same cause'),
  count: z.number().int().optional().describe('how often it was said, if more than once'),
  log: z.string().optional().describe("the kernel verifier's: head and end"),
  log_lines: z.number().int().optional().describe('lines of the whole log'),
  noise: z.literal(true).optional().describe('said on every run of this host; not the cause'),
});
/** As results carry it. */
export type ToldDiagnostic = z.output<typeof diagnosticSchema>;

export interface Diagnostic extends ToldDiagnostic {
  code: DiagnosticCode;
}
