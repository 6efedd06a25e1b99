import { z } from 'zod';
import { Refusal } from '../../contract/errors.js';
import { MAX_BYTES_DEFAULT } from '../../engine/window.js';
import { jsonBytes } from '../../results/bytes.js';
import { STATUSES, type Summary, summarySchema } from '../../results/result.js';
import { behind } from '../paging.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

/** Beside the executions. */
const FRAME_BYTES = 300;

export const listExecutions = defineTool({
  name: TOOL.listExecutions,
  title: 'List your executions',
  description: `Your own executions, newest first: queued, running, and those that ended within the last hour. As many as fit a reply; next_cursor reads on. Read one with ${TOOL.getResult}.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({
    status: z.enum(STATUSES).optional().describe('only those in this state'),
    cursor: z.string().max(100).optional().describe('next_cursor of the answer before'),
  }),
  output: z.object({
    executions: z.array(summarySchema),
    count: z.number().int().describe('shown'),
    total: z.number().int().describe('in that state, or in all'),
    next_cursor: z.string().optional().describe('absent where the oldest is shown'),
  }),
  async handle({ status, cursor }, { client }) {
    const wanted = (execution: Summary): boolean => status === undefined || execution.status === status;
    const all = client.list();
    const rest = behind(all, cursor)?.filter(wanted);
    if (!rest) {
      throw new Refusal(
        'invalid_argument',
        'the cursor names no execution of yours any more',
        'list from the start, without a cursor',
      );
    }
    const executions = fitting(rest);
    const total = all.filter(wanted).length;
    const next = executions.length < rest.length ? executions.at(-1)?.execution_id : undefined;
    const head = `${total} execution${total === 1 ? '' : 's'}${executions.length < total ? `, ${executions.length} of them here` : ''}`;
    return {
      structured: { executions, count: executions.length, total, ...(next && { next_cursor: next }) },
      text: [head, ...executions.map(line), ...(next ? [`more: cursor=${next}`] : [])].join('\n'),
    };
  },
});

function fitting(executions: readonly Summary[]): Summary[] {
  let room = MAX_BYTES_DEFAULT - FRAME_BYTES;
  const end = executions.findIndex(execution => {
    room -= jsonBytes(execution) + 1;
    return room < 0;
  });
  return end < 0 ? [...executions] : executions.slice(0, end);
}

function line(execution: Summary): string {
  const {
    execution_id: id,
    status,
    ended_by,
    reason,
    queue_position,
    estimated_start,
    duration,
    lines_total,
  } = execution;
  const end = ended_by && ended_by !== 'failure' ? ` by ${ended_by}` : '';
  const why = reason ? ` (${reason})` : '';
  const queue = queue_position ? ` #${queue_position}, in about ${estimated_start} s` : '';
  const program = execution.program.replace(/\s+/g, ' ');
  return `${id} ${status}${end}${why}${queue} ${duration} s, ${lines_total} ${lines_total === 1 ? 'line' : 'lines'}: ${program}`;
}
