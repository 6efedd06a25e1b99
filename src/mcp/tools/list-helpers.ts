import { z } from 'zod';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

export const listHelpers = defineTool({
  name: TOOL.listHelpers,
  title: "Look up bpftrace's language",
  description: `The functions, map functions, builtin variables and probe types that a program may use, with their signatures, and whether the installed bpftrace has them; with a filter a minimal example of each too. filter is words that must all occur (time, kernel stack), a name with * (str*), or a kind: function, map_function, builtin, probe_type. Events to attach to are found with ${TOOL.listProbes}.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({ filter: z.string().max(200).optional() }),
  output: z.object({
    helpers: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['function', 'map_function', 'builtin', 'probe_type']),
        signature: z.string(),
        description: z.string(),
        available: z.enum(['yes', 'no', 'unknown']).describe('in the installed bpftrace'),
        since: z.string().optional(),
        unsafe: z.literal(true).optional().describe('refused in safe mode'),
        example: z.string().optional().describe('a minimal complete program; given with a filter'),
      }),
    ),
    count: z.number().int(),
  }),
  async handle(args, { client }) {
    const helpers = await client.helpers(args.filter);
    const lines = helpers.map(helper => {
      const missing =
        helper.available === 'no'
          ? ` [not in this version${helper.since ? `, since ${helper.since}` : ''}]`
          : '';
      const unsafe = helper.unsafe ? ' [unsafe]' : '';
      return `${helper.kind} ${helper.signature}${missing}${unsafe}: ${helper.description}`;
    });
    const head =
      helpers.length === 0
        ? 'nothing matches; try a shorter word, or no filter'
        : `${helpers.length} entries`;
    return { structured: { helpers, count: helpers.length }, text: [head, ...lines].join('\n') };
  },
});
