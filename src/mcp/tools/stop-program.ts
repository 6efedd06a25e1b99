import { z } from 'zod';
import { resultSchema } from '../../results/result.js';
import { telling } from '../progress.js';
import { resultText } from '../result-text.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';
import { windowOf } from './window.js';

/** Detaching hundreds of probes takes the kernel half a minute; a client's own patience often ends after a minute. */
const STOP_BOUND_MS = 45_000;

export const stopProgram = defineTool({
  name: TOOL.stop,
  title: 'Stop a program',
  description: `Ends a running or queued execution and gives its final result: what it printed so far and its maps are kept. Stopping one that has ended gives its result again. If detaching takes very long the answer has ending: true; read the rest with ${TOOL.getResult}.`,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.object({ execution_id: z.string().describe(`from ${TOOL.exec}`) }),
  output: resultSchema,
  async handle({ execution_id: id }, { client, signal, progress }) {
    client.stop(id);
    const ended = client.untilEnded(id, { boundMs: STOP_BOUND_MS, signal });
    await telling(progress, client, id, STOP_BOUND_MS, ended);
    const structured = client.result(id, windowOf({}));
    return { structured, text: resultText(structured) };
  },
});
