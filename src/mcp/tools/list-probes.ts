import { z } from 'zod';
import { DETAILS_LIMIT_MAX, PROBE_LIMIT_DEFAULT, PROBE_LIMIT_MAX } from '../../bpftrace/probe-index.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

export const listProbes = defineTool({
  name: TOOL.listProbes,
  title: 'Find probes',
  description: `What can be traced on this host. filter is a bpftrace pattern (tracepoint:syscalls:sys_enter_*open*), a pattern without its provider (syscalls:*open*), or words that must all occur (tcp retransmit). Without a filter it lists everything, page by page. For functions of a program name the binary: uprobe:/usr/bin/bash:*read*. details adds each probe's fields (args.NAME, args->NAME before bpftrace 0.19). Not listed but always there: BEGIN, END, interval:s:N, interval:ms:N, profile:hz:N, software:page-faults:N and the like, hardware:cycles:N and the like.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({
    filter: z.string().max(1000).optional(),
    limit: z
      .number()
      .int()
      .min(1)
      .max(PROBE_LIMIT_MAX)
      .optional()
      .describe(`probes a page (default ${PROBE_LIMIT_DEFAULT}; at most ${DETAILS_LIMIT_MAX} with details)`),
    cursor: z.string().max(1000).optional().describe('next_cursor of the page before'),
    details: z.boolean().optional().describe("each probe's fields too"),
  }),
  output: z.object({
    probes: z.array(z.object({ name: z.string(), fields: z.array(z.string()).optional() })),
    count: z.number().int().describe('on this page'),
    total: z.number().int().describe('that match'),
    next_cursor: z.string().optional().describe('absent on the last page'),
  }),
  async handle(args, { client }) {
    const page = await client.probes(args);
    const lines = page.probes.map(probe =>
      [probe.name, ...(probe.fields ?? []).map(field => `    ${field}`)].join('\n'),
    );
    const head = page.total === 0 ? nothingFound(args.filter) : `${page.count} of ${page.total} probes`;
    const foot = page.next_cursor ? [`more: cursor=${page.next_cursor}`] : [];
    return { structured: page, text: [head, ...lines, ...foot].join('\n') };
  },
});

function nothingFound(filter: string | undefined): string {
  return `no probe matches ${JSON.stringify(filter ?? '')}; try fewer or shorter words, or call ${TOOL.info} to see which kinds of probes this host has`;
}
