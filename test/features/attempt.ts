import type { Result } from '../../src/results/result.js';
import { runToEnd, untilEnded } from '../support/run-to-end.js';
import type { ServerUnderTest } from '../support/server.js';
import type { Feature } from './feature.js';

/**
 * How a feature fared: `no` when bpftrace refuses the program or ends before it has traced, `wrong` when the program
 * ran and the answer is not what it has to be, `broken` when it is the server that failed.
 */
export interface Attempt {
  outcome: 'yes' | 'no' | 'wrong' | 'broken';
  /** What was wrong, or bpftrace's words. */
  why: string;
}

const WAIT_S = 50;
/** 0.17 aborts on names of probes that it does not know. */
const REFUSALS: ReadonlySet<string> = new Set(['compile_failed', 'attach_failed', 'died']);

/** Tries a feature as a client would, through the tools. */
export async function attempt(server: ServerUnderTest, feature: Feature): Promise<Attempt> {
  const result = await run(server, feature);
  const wrong = feature.wrong(result);
  if (wrong === undefined) return { outcome: 'yes', why: '' };
  const why = [wrong, result.error_message].filter(Boolean).join(': ');
  if (result.reason === undefined) return { outcome: 'wrong', why };
  return { outcome: REFUSALS.has(result.reason) ? 'no' : 'broken', why: `${result.reason}: ${why}` };
}

async function run(server: ServerUnderTest, { program, timeout, stopped }: Feature): Promise<Result> {
  if (!stopped) return runToEnd(server, program, timeout);
  const { execution_id } = await server.result('exec_program', { program, timeout });
  await server.result('get_result', { execution_id, offset: 0, wait: WAIT_S });
  return untilEnded(server, await server.result('stop_program', { execution_id }));
}
