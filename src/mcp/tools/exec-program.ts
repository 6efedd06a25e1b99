import { z } from 'zod';
import { SHARES, type Share, type SubmitRequest } from '../../engine/index.js';
import { resultSchema } from '../../results/result.js';
import { telling } from '../progress.js';
import { resultText } from '../result-text.js';
import { defineTool, type Tool } from '../tool.js';
import { TOOL } from './names.js';
import { MAX_WAIT_S, sizeArguments, waitSchema, windowOf } from './window.js';

/** Attaching thousands of probes can take half a minute; a client's own patience often ends after a minute. */
const SETTLE_BOUND_MS = 20_000;

interface Limits {
  defaultTimeoutS: number;
  maxTimeoutS: number;
  maxLines: number;
}

/** What it takes. */
export function execArguments(limits: Limits) {
  return z.object({
    program: z.string().describe('bpftrace source text'),
    timeout: z
      .number()
      .min(0.1)
      .max(limits.maxTimeoutS)
      .optional()
      .describe(
        `seconds it runs once attached (default ${limits.defaultTimeoutS}, at most ${limits.maxTimeoutS})`,
      ),
    wait: waitSchema.describe(
      `seconds to wait for it to end, at most ${MAX_WAIT_S}; make it a little more than timeout`,
    ),
    max_lines: z
      .number()
      .int()
      .min(1)
      .max(limits.maxLines)
      .optional()
      .describe(`lines of output to keep, the newest win (default ${limits.maxLines})`),
    share: z
      .enum(SHARES)
      .optional()
      .describe(
        'when another client has handed in the same program with the same timeout: starting (default) shares its bpftrace unless that is attached already; running shares it then too, with what it gathered before; never: one of its own',
      ),
    ...sizeArguments,
  });
}

/** The ranges of its arguments are the operator's, so it is made per server. */
export function execProgram(limits: Limits): Tool {
  return defineTool({
    name: TOOL.exec,
    title: 'Run a bpftrace program',
    description: `Runs a bpftrace program on this host's kernel and answers as soon as it is attached, has failed to compile or attach (status failed, with diagnostics), or has to queue. It then runs in the background until exit() or its timeout; both are normal ends, and both print the maps. Most programs need no exit(): \`tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }\` with timeout 5 gives the counts of 5 s.
Pass wait to get the finished result in one call; otherwise fetch it with ${TOOL.getResult} by execution_id. Find probes with ${TOOL.listProbes}, functions with ${TOOL.listHelpers}; ${TOOL.info} tells what this host can trace. Prefer maps (@x = count(), hist(), sum()) to printf per event: they lose nothing and cost little.`,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    input: execArguments(limits),
    output: resultSchema,
    async handle(args, { client, signal, progress }) {
      const id = client.submit(requestOf(args));
      const bound = { boundMs: args.wait ? args.wait * 1000 : SETTLE_BOUND_MS, signal };
      const wait = args.wait ? client.untilEnded(id, bound) : client.untilSettled(id, bound);
      await telling(progress, client, id, bound.boundMs, wait);
      // Its id will reach nobody: nobody else would end it.
      if (signal.aborted) client.stop(id);
      const structured = client.result(id, windowOf(args));
      return { structured, text: resultText(structured) };
    },
    begin(args, { client }) {
      return { id: client.submit(requestOf(args)), window: windowOf(args) };
    },
  });
}

/** Of its arguments, what shapes the execution. */
export function requestOf(args: {
  program: string;
  timeout?: number | undefined;
  max_lines?: number | undefined;
  share?: Share | undefined;
}): SubmitRequest {
  return {
    program: args.program,
    deadlineMs: args.timeout === undefined ? undefined : args.timeout * 1000,
    maxLines: args.max_lines,
    share: args.share,
  };
}
