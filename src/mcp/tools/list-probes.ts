import { z } from 'zod';
import {
  DETAILS_LIMIT_DEFAULT,
  DETAILS_LIMIT_MAX,
  PROBE_LIMIT_DEFAULT,
  PROBE_LIMIT_MAX,
  type ProbePage,
} from '../../bpftrace/probes/page.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

const fieldSchema = z.object({
  name: z.string(),
  access: z.string().optional().describe('how a program writes it, if not by its name'),
  type: z.string(),
  values: z.record(z.string(), z.string()).optional().describe('what its numbers mean'),
  values_left_out: z.number().int().optional().describe('that had no room; name the probe alone to see all'),
  flags: z.literal(true).optional().describe('the values are bits that may be combined'),
});

export const listProbes = defineTool({
  name: TOOL.listProbes,
  title: 'Find probes',
  description: `What can be traced on this host. filter is words in any order, ranked by relevance (tcp retransmit, open file); a bpftrace pattern (tracepoint:syscalls:sys_enter_*open*), or one without its provider (syscalls:*open*). Without a filter: totals, then everything page by page. For functions of a program name the binary: uprobe:/usr/bin/bash:*read*, usdt:/path. details adds each probe's arguments with types and what their numbers mean (args.NAME, args->NAME before bpftrace 0.19). struct task_struct, union, enum: the kernel's definition; struct task_struct *cpu* only these members. A return is kretprobe:, fexit:, uretprobe: of the same function.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({
    filter: z.string().max(1000).optional(),
    limit: z
      .number()
      .int()
      .min(1)
      .max(PROBE_LIMIT_MAX)
      .optional()
      .describe(
        `probes or lines a page (default ${PROBE_LIMIT_DEFAULT}; with details ${DETAILS_LIMIT_DEFAULT}, at most ${DETAILS_LIMIT_MAX})`,
      ),
    cursor: z.string().max(2000).optional().describe('next_cursor of the page before'),
    details: z.boolean().optional().describe("each probe's arguments too"),
  }),
  output: z.object({
    probes: z.array(z.object({ name: z.string(), fields: z.array(fieldSchema).optional() })),
    count: z.number().int().describe('on this page'),
    total: z.number().int().describe('that match'),
    totals: z.record(z.string(), z.number().int()).describe('that match, by provider'),
    groups: z
      .record(z.string(), z.number().int())
      .optional()
      .describe('tracepoints by group; without a filter'),
    loose: z.literal(true).optional().describe('no probe has all the words; these have most of them'),
    nearest: z
      .array(z.string())
      .optional()
      .describe('when nothing matches, or not all the words: names that are near'),
    no_such_kind: z.string().optional().describe('this host lists no probe of this kind at all'),
    always: z.array(z.string()).optional().describe('never listed, always there, and asked for it seems'),
    definition: z.array(z.string()).optional().describe('lines of the type that the filter names'),
    next_cursor: z.string().optional().describe('absent on the last page'),
  }),
  async handle(args, { client }) {
    const page = await client.probes(args);
    return { structured: page, text: textOf(page, args.filter) };
  },
});

/** Where there is something to show, what else may have been meant is an aside. */
const NEAREST_OF_LOOSE = 3;

function textOf(page: ProbePage, filter = ''): string {
  const lines = page.definition ?? page.probes.map(probe => [probe.name, ...fieldLines(probe)].join('\n'));
  const groups = page.groups ? [`tracepoint groups: ${counts(page.groups)}`] : [];
  const foot = page.next_cursor ? [`more: cursor=${page.next_cursor}`] : [];
  const always = (page.always ?? []).map(probe => `always there: ${probe}`);
  return [head(page, filter), ...always, ...groups, ...lines, ...foot].join('\n');
}

function head(page: ProbePage, filter: string): string {
  const shown = `${page.count} of ${page.total}`;
  if (page.definition && page.total > 0) return `${shown} lines`;
  if (page.total > 0) {
    const meant = page.nearest
      ? `; with a word spelled otherwise: ${page.nearest.slice(0, NEAREST_OF_LOOSE).join(', ')}`
      : '';
    const loose = page.loose ? `; none has all the words, these have most${meant}` : '';
    return `${shown} probes (${counts(page.totals)})${loose}`;
  }
  const what = page.definition ? 'no type or member of this kernel is' : 'no listed probe matches';
  const kind = page.no_such_kind
    ? `; ${page.no_such_kind === 'iter' ? 'bpftrace lists' : 'this host has'} no ${page.no_such_kind} at all (${TOOL.info} says why)`
    : '';
  const near = page.nearest ? `; nearest: ${page.nearest.join(', ')}` : '';
  const hint = kind || near || page.always ? '' : '; try fewer or other words';
  return `${what} ${JSON.stringify(filter)}${kind}${near}${hint}`;
}

function counts(totals: Record<string, number>): string {
  return Object.entries(totals)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function fieldLines({ name: probe, fields }: ProbePage['probes'][number]): string[] {
  if (fields?.length === 0 && /^u(?:ret)?probe:/.test(probe))
    return ['    no debug information: arg0, arg1, … are there, without types'];
  return (fields ?? []).map(({ name, access, type, values, values_left_out: left, flags }) => {
    const meanings = Object.entries(values ?? {}).map(([number, meaning]) => `${number}=${meaning}`);
    const more = left ? ` and ${left} more: name the probe alone` : '';
    const means = meanings.length === 0 ? '' : `  ${flags ? 'bits' : 'values'}: ${meanings.join(' ')}${more}`;
    return `    ${access ? `${access} ` : ''}${name}: ${type}${means}`;
  });
}
