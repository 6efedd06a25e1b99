import type { Result } from '../../src/results/result.js';
import type { ServerUnderTest } from './server.js';

const WAIT_S = 50;

/** Runs a program until it has ended, however long it takes to attach, and gives back its result from the first line kept. */
export async function runToEnd(server: ServerUnderTest, program: string, timeout: number): Promise<Result> {
  const started = await server.result('exec_program', { program, timeout, wait: WAIT_S });
  return untilEnded(server, started);
}

/** @param result the latest one of the execution */
export async function untilEnded(server: ServerUnderTest, result: Result): Promise<Result> {
  const { execution_id } = result;
  let latest = result;
  while (['queued', 'starting', 'running'].includes(latest.status)) {
    const offset = latest.lines_total;
    latest = await server.result('get_result', { execution_id, offset, wait: WAIT_S });
  }
  return server.result('get_result', { execution_id, offset: latest.lines_dropped });
}
