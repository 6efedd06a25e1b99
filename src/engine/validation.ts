import { z } from 'zod';
import { diagnosticSchema } from '../bpftrace/diagnostics/index.js';

export const validationSchema = z.object({
  valid: z
    .boolean()
    .nullable()
    .describe('it compiles and what it attaches to is there; null: could not tell, see reason'),
  reason: z.string().optional().describe('why it is not valid, or why that could not be told'),
  diagnostics: z
    .array(diagnosticSchema)
    .describe("bpftrace's errors and warnings, with their place in the program"),
  probes: z
    .array(
      z.object({
        attach_point: z.string().describe('as the program has it'),
        found: z.enum(['yes', 'no', 'unknown']),
        probes: z.number().int().optional().describe('how many it stands for'),
        names: z.array(z.string()).optional().describe('some of them, where it is a pattern'),
        note: z.string().optional(),
      }),
    )
    .describe('what it would attach to'),
  probes_total: z.number().int().nullable().describe('in all; null: not known'),
  method: z.string().describe('what was done, and what was not'),
  attached: z.literal(false),
  replayed: z.literal(true).optional().describe('found out when the recording was made, not now'),
});
/** What is known of a program without running it. */
export type Validation = z.output<typeof validationSchema>;
