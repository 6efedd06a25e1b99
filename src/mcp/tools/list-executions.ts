import { z } from 'zod';
import { STATUSES, summarySchema } from '../../results/result.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

const SHOWN_MAX = 50;

export const listExecutions = defineTool({
  name: TOOL.listExecutions,
  title: 'List your executions',
  description: `Your own executions, newest first: queued, running, and those that ended within the last hour. At most ${SHOWN_MAX} are shown. Read one with ${TOOL.getResult}.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({ status: z.enum(STATUSES).optional().describe('only those in this state') }),
  output: z.object({
    executions: z.array(summarySchema),
    count: z.number().int().describe('shown'),
    total: z.number().int(),
  }),
  async handle(args, { client }) {
    const all = client.list(args.status);
    const executions = all.slice(0, SHOWN_MAX);
    const lines = executions.map(execution => {
      const end = execution.ended_by && execution.ended_by !== 'failure' ? ` by ${execution.ended_by}` : '';
      const why = execution.reason ? ` (${execution.reason})` : '';
      const queue = execution.queue_position ? ` #${execution.queue_position}` : '';
      const program = execution.program.replace(/\s+/g, ' ');
      return `${execution.execution_id} ${execution.status}${end}${why}${queue} ${execution.duration} s, ${execution.lines_total} lines: ${program}`;
    });
    const head = `${all.length} execution${all.length === 1 ? '' : 's'}${executions.length < all.length ? `, the newest ${executions.length}` : ''}`;
    return {
      structured: { executions, count: executions.length, total: all.length },
      text: [head, ...lines].join('\n'),
    };
  },
});
