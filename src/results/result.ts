import { z } from 'zod';
import { diagnosticSchema } from '../bpftrace/diagnostics.js';
import { FAILURES } from '../contract/errors.js';
import { mapSchema } from './map-schema.js';

/**
 * What is known of an execution, in the words of the tools' contract (hence snake_case): the engine gives it,
 * MCP carries it, `run --json` prints it. The schema is the documentation.
 */
export const STATUSES = ['queued', 'starting', 'running', 'completed', 'failed', 'stopped'] as const;
export type Status = (typeof STATUSES)[number];

const ENDED_BY = ['exit', 'deadline', 'stop', 'shutdown', 'failure'] as const;
export type EndedBy = (typeof ENDED_BY)[number];

export const resultSchema = z.object({
  execution_id: z.string().describe('32 hex digits of chance and 8 that prove it was given out here'),
  status: z.enum(STATUSES).describe('where it stands'),
  ended_by: z
    .enum(ENDED_BY)
    .optional()
    .describe('exit: the program ended itself; deadline: the normal end of most programs'),
  ending: z.literal(true).optional().describe('told to end; detaching and printing its maps'),
  reason: z.enum(FAILURES).optional().describe('why it failed'),
  error_message: z.string().optional().describe('what went wrong, in a line'),
  diagnostics: z
    .array(diagnosticSchema)
    .describe("bpftrace's errors and warnings, with their place in the program"),
  queue_position: z.number().int().optional().describe('1 is next'),
  attached_probes: z.number().int().optional().describe('as bpftrace counts them'),
  output: z.array(z.string()).describe('lines from offset on'),
  offset: z.number().int().describe('sequence number of the first line given'),
  next_offset: z.number().int().describe('pass as offset to read on'),
  has_more: z.boolean().describe('lines beyond next_offset are already there'),
  lines_total: z.number().int().describe('lines ever printed'),
  lines_returned: z.number().int().describe('lines in output'),
  lines_dropped: z.number().int().describe('oldest lines overwritten by newer ones'),
  lines_truncated: z.number().int().optional().describe('of the lines given, those cut for length'),
  bytes_dropped: z.number().int().optional().describe('bytes cut off lines that were too long'),
  maps: z.array(mapSchema).describe('latest snapshot of each map; most print only when the program ends'),
  lost_events: z.number().int().describe('events the kernel dropped before bpftrace could read them'),
  timeout: z.number().describe('deadline, s from attached'),
  duration: z.number().describe('time traced so far, s; a failed start: time until it failed'),
  exit_code: z.number().int().nullable().optional().describe('of bpftrace; null when a signal ended it'),
});
export type Result = z.output<typeof resultSchema>;

export const summarySchema = resultSchema
  .pick({
    execution_id: true,
    status: true,
    ended_by: true,
    reason: true,
    queue_position: true,
    lines_total: true,
    timeout: true,
    duration: true,
  })
  .extend({
    submitted_at: z.string().describe('ISO 8601'),
    program: z.string().describe('its beginning'),
  });
/** An execution in a list. */
export type Summary = z.output<typeof summarySchema>;
