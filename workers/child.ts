import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { SpawnPlan } from '../src/contract/trace.js';

/**
 * Starts one bpftrace and hands it its program.
 *
 * The child leads a session and a process group of its own: a signal from the terminal reaches only the
 * server, and the ending ladder reaches everything the child may have started. The program travels on
 * standard input (`bpftrace -`), so nothing a caller wrote ever stands on a command line.
 */
export function startChild(plan: SpawnPlan, program: string): ChildProcessWithoutNullStreams {
  const child = spawn(plan.command, plan.args, { env: plan.env, cwd: '/', detached: true, stdio: 'pipe' });
  // A child that dies before it has read its program breaks the pipe; its exit tells why.
  child.stdin.on('error', () => {});
  child.stdin.end(program);
  return child;
}
