import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { SpawnPlan, TraceOutcome } from '../src/contract/trace.js';

type SpawnError = NonNullable<TraceOutcome['spawnError']>;
type Started = { pid: number; child: ChildProcessWithoutNullStreams } | { spawnError: SpawnError };

/**
 * Starts one bpftrace and hands it its program.
 *
 * The child leads a session and a process group of its own: a signal from the terminal reaches only the
 * server, and the ending ladder reaches everything the child may have started. The program travels on
 * standard input (`bpftrace -`), so nothing a caller wrote ever stands on a command line.
 */
export async function startChild(plan: SpawnPlan, program: string): Promise<Started> {
  try {
    const child = spawn(plan.command, plan.args, { env: plan.env, cwd: '/', detached: true, stdio: 'pipe' });
    const { pid } = child;
    // Some errors of the system are thrown, others are an event; with the latter the pipes may be missing (EMFILE).
    if (pid === undefined) throw (await once(child, 'error'))[0];
    // A child that dies before it has read its program breaks the pipe; its exit tells why.
    child.stdin.on('error', () => {});
    child.stdin.end(program);
    return { pid, child };
  } catch (error) {
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    return { spawnError: { code, message } };
  }
}
