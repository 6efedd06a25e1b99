import { z } from 'zod';
import type { Window } from '../../engine/window.js';
import { type Result, resultSchema } from '../../results/result.js';
import { telling } from '../progress.js';
import { resultText } from '../result-text.js';
import { defineTool, type Reply, type ToolContext } from '../tool.js';
import { TOOL } from './names.js';
import { lineArguments, MAX_WAIT_S, sizeArguments, waitSchema, windowOf } from './window.js';

/** Printing maps of many stacks takes bpftrace seconds. */
const SNAPSHOT_BOUND_MS = 15_000;
/**
 * From a program's last maps to the end of its bpftrace it takes 0.1 s as a rule. Who waited for them is spared another
 * call; where detaching takes long, what is there is worth more than the end.
 */
const CLOSING_MS = 1000;

export const getResult = defineTool({
  name: TOOL.getResult,
  title: 'Read what a program printed',
  description: `The state of an execution and what it has printed so far: lines from offset on, the latest snapshot of each map, losses, diagnostics. Most maps come only when the program ends (deadline included): pass snapshot to read them while it runs, or wait to return as soon as there is something newer (than offset, or than what is there now) or it has ended. Without offset it shows the oldest and the newest lines and says what stands between; page through all of them with offset 0, then offset = next_offset. Only the newest lines are kept; lines_dropped counts the overwritten ones. Results are kept for an hour after the end.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({
    execution_id: z.string().describe(`from ${TOOL.exec}`),
    ...lineArguments,
    wait: waitSchema.describe(
      `seconds to wait for lines at or beyond offset, a newer map or the end; at most ${MAX_WAIT_S}`,
    ),
    snapshot: z
      .boolean()
      .optional()
      .describe(
        'of a running program: its maps as they are now (snapshot_at says when). With wait: after waiting that long for its end',
      ),
    ...sizeArguments,
  }),
  output: resultSchema,
  async handle(args, { client, signal, progress }) {
    const window = windowOf(args);
    if (args.snapshot)
      return snapshot(args.execution_id, args.wait ?? 0, window, { client, signal, progress });
    if (args.wait) {
      // Refuses an offset past the end before waiting for it.
      const before = client.result(args.execution_id, { offset: args.offset, limit: 0, mapEntries: 0 });
      const bound = { boundMs: args.wait * 1000, signal };
      const news = client.untilNews(args.execution_id, args.offset ?? before.lines_total, bound);
      const begun = performance.now();
      await telling(progress, client, args.execution_id, bound.boundMs, news);
      if (client.glance(args.execution_id).ending) {
        const leftMs = bound.boundMs - (performance.now() - begun);
        await client.untilEnded(args.execution_id, { boundMs: Math.min(leftMs, CLOSING_MS), signal });
      }
    }
    const structured = client.result(args.execution_id, window);
    return { structured, text: resultText(structured) };
  },
});

async function snapshot(
  id: string,
  waitS: number,
  window: Window,
  { client, signal, progress }: Pick<ToolContext, 'client' | 'signal' | 'progress'>,
): Promise<Reply<Result>> {
  // Refuses an offset past the end, and an unknown id, before waiting.
  client.result(id, { offset: window.offset, limit: 0, mapEntries: 0 });
  const boundMs = waitS * 1000;
  await telling(progress, client, id, boundMs, client.untilEnded(id, { boundMs, signal }));
  const missing = await client.snapshot(id, { boundMs: SNAPSHOT_BOUND_MS, signal });
  const structured = { ...client.result(id, window), ...(missing !== undefined && { no_snapshot: missing }) };
  return { structured, text: resultText(structured) };
}
