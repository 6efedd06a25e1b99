import { z } from 'zod';
import { diagnosticSchema } from '../bpftrace/diagnostics/index.js';
import { FAILURES } from '../contract/errors.js';
import { shownMapSchema } from './shown-map.js';

/**
 * What is known of an execution, in the words of the tools' contract (hence snake_case): the engine gives it,
 * MCP carries it, `run --json` prints it. The schema is the documentation.
 */
export const STATUSES = ['queued', 'starting', 'running', 'completed', 'failed', 'stopped'] as const;
export type Status = (typeof STATUSES)[number];

const ENDED_BY = ['exit', 'deadline', 'stop', 'shutdown', 'flood', 'distress', 'failure'] as const;
export type EndedBy = (typeof ENDED_BY)[number];

const count = z.number().int().optional();
const lossesSchema = z.object({
  lost_events: count.describe('events the kernel dropped before bpftrace could read them'),
  lines_dropped: count.describe('oldest lines overwritten by newer ones'),
  lines_truncated: count.describe('of the lines given, those cut because they were too long'),
  bytes_dropped: count.describe('bytes cut off lines that were too long'),
  map_entries_dropped: count.describe('smallest entries of maps that were too large to keep'),
  maps_full: count.describe('maps that held as many keys as they can'),
  map_updates_lost: count.describe('updates that found their map full (0.22 and later count them)'),
  strings_cut: count.describe('strings in maps that are as long as they can be, and were probably cut'),
});
/** Numbers above zero only. */
export type Losses = z.output<typeof lossesSchema>;

export const resultSchema = z.object({
  execution_id: z.string().describe('32 hex digits of chance and 8 that prove it was given out here'),
  status: z.enum(STATUSES).describe('where it stands'),
  ended_by: z
    .enum(ENDED_BY)
    .optional()
    .describe(
      'exit: the program ended itself; deadline: the normal end of most programs; flood, distress: the server ended it, because of how much it printed, or because the machine is in distress',
    ),
  ending: z.literal(true).optional().describe('told to end; detaching and printing its maps'),
  reason: z.enum(FAILURES).optional().describe('why it failed'),
  error_message: z.string().optional().describe('what went wrong, in a line'),
  diagnostics: z
    .array(diagnosticSchema)
    .describe("bpftrace's errors and warnings, with their place in the program"),
  diagnostics_not_shown: z.number().int().optional().describe('those that had no room in this reply'),
  queue_position: z.number().int().optional().describe('1 is next; who comes later may be served before'),
  estimated_start: z
    .number()
    .optional()
    .describe('s until it likely starts, from how long programs took here; no promise'),
  attached_probes: z.number().int().optional().describe('as bpftrace counts them'),
  output: z.array(z.string()).describe('lines from offset on'),
  offset: z.number().int().describe('sequence number of the first line given'),
  next_offset: z.number().int().describe('pass as offset to read on behind output'),
  has_more: z.boolean().describe('lines beyond next_offset are already there'),
  lines_total: z.number().int().describe('lines ever printed'),
  lines_returned: z.number().int().describe('lines in output'),
  lines_dropped: z.number().int().describe('oldest lines overwritten by newer ones'),
  tail: z
    .object({ offset: z.number().int(), output: z.array(z.string()) })
    .optional()
    .describe('the newest lines, where those between them and output were left out of this reply'),
  lines_shortened: z
    .number()
    .int()
    .optional()
    .describe('of the lines given, those shortened for this reply; each says how to get it whole'),
  search: z
    .object({
      matched: z.number().int().describe('lines in which match was found'),
      searched: z.number().int().describe('lines looked at, from offset on'),
      offsets: z.array(z.number().int()).describe('sequence numbers of the lines in output'),
    })
    .optional()
    .describe('with match'),
  maps: z
    .array(shownMapSchema)
    .describe('latest snapshot of each map; most print only when the program ends'),
  maps_not_shown: z.number().int().optional().describe('maps that had no room in this reply'),
  snapshot_at: z
    .number()
    .optional()
    .describe('the maps are as they were so many s after attaching, not as the program printed them'),
  no_snapshot: z.string().optional().describe('why the snapshot that was asked for is missing or not whole'),
  lost_events: z.number().int().describe('events the kernel dropped before bpftrace could read them'),
  losses: lossesSchema.optional().describe('what is missing for good, when anything is'),
  timeout: z.number().describe('deadline, s from attached'),
  replayed: z
    .literal(true)
    .optional()
    .describe('this was recorded earlier, and is played back: nothing was traced now'),
  replay_note: z.string().optional().describe('what differs from what was asked for'),
  duration: z.number().describe('time traced so far, s; a failed start: time until it failed'),
  shared: z
    .literal(true)
    .optional()
    .describe('other clients handed in the same program: one bpftrace runs for all'),
  joined_at: z
    .number()
    .optional()
    .describe('it ran already: s after attaching when you joined; what it gathered before is here too'),
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
    estimated_start: true,
    lines_total: true,
    timeout: true,
    duration: true,
    replayed: true,
  })
  .extend({
    submitted_at: z.string().describe('ISO 8601'),
    program: z.string().describe('its beginning'),
  });
/** An execution in a list. */
export type Summary = z.output<typeof summarySchema>;
