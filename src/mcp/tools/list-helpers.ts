import { z } from 'zod';
import type { Helper } from '../../engine/index.js';
import { MAX_BYTES_DEFAULT } from '../../engine/window.js';
import { jsonBytes } from '../../results/bytes.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

/** Beside the entries. */
const FRAME_BYTES = 300;

const helperSchema = z.object({
  name: z.string(),
  kind: z.enum(['function', 'map_function', 'builtin', 'probe_type']),
  signature: z.string().optional(),
  description: z.string().optional(),
  available: z.enum(['yes', 'no', 'unknown']).describe('in the installed bpftrace'),
  since: z.string().optional(),
  unsafe: z.literal(true).optional().describe('refused in safe mode'),
  example: z.string().optional().describe('a minimal complete program'),
});
type ShownHelper = z.output<typeof helperSchema>;

export const listHelpers = defineTool({
  name: TOOL.listHelpers,
  title: "Look up bpftrace's language",
  description: `The functions, map functions, builtin variables and probe types that a program may use, and whether the installed bpftrace has them; with a filter that leaves some dozens, their signatures, descriptions and minimal examples. filter is words that must all occur (time, kernel stack), a name with * (str*), or a kind: function, map_function, builtin, probe_type. Events to attach to are found with ${TOOL.listProbes}.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({ filter: z.string().max(200).optional() }),
  output: z.object({
    helpers: z.array(helperSchema),
    count: z.number().int(),
    shortened: z.literal(true).optional().describe('too many to tell all about each: narrow the filter'),
  }),
  async handle(args, { client }) {
    const helpers = await client.helpers(args.filter);
    const form = FORMS.find(candidate => fits(helpers.map(candidate))) ?? namesOnly;
    const shown = helpers.map(form);
    const isShort = form !== inFull;
    const head =
      helpers.length === 0
        ? 'nothing matches; try a shorter word, or no filter'
        : `${helpers.length} entries${isShort ? '; a narrower filter tells more about each' : ''}`;
    return {
      structured: { helpers: shown, count: helpers.length, ...(isShort && { shortened: true as const }) },
      text: [head, ...(form === namesOnly ? byKind(helpers) : shown.map(line))].join('\n'),
    };
  },
});

function inFull(helper: Helper): ShownHelper {
  return helper;
}

function withoutExample({ example: _example, ...rest }: Helper): ShownHelper {
  return rest;
}

function signaturesOnly({ name, kind, signature, available, unsafe }: Helper): ShownHelper {
  return { name, kind, signature, available, ...(unsafe && { unsafe }) };
}

function namesOnly({ name, kind, available }: Helper): ShownHelper {
  return { name, kind, available };
}

/** From the one that tells most; the first that fits a reply is taken. */
const FORMS: readonly ((helper: Helper) => ShownHelper)[] = [
  inFull,
  withoutExample,
  signaturesOnly,
  namesOnly,
];

function fits(helpers: readonly ShownHelper[]): boolean {
  return jsonBytes(helpers) + FRAME_BYTES <= MAX_BYTES_DEFAULT;
}

function line({
  name,
  kind,
  signature = name,
  description,
  available,
  since,
  unsafe,
  example,
}: ShownHelper): string {
  const missing = available === 'no' ? ` [not in this version${since ? `, since ${since}` : ''}]` : '';
  const told = description === undefined ? '' : `: ${description}`;
  return `${kind} ${signature}${missing}${unsafe ? ' [unsafe]' : ''}${told}${example ? ` e.g. ${example}` : ''}`;
}

function byKind(helpers: readonly Helper[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { name, kind, available } of helpers) {
    const group = available === 'no' ? `${kind}, not in this version` : kind;
    groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return [...groups].map(([group, names]) => `${group}: ${names.join(', ')}`);
}
