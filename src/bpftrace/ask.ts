import type { Launcher } from '../privilege/launcher.js';
import { runCommand } from './checks/command.js';
import { childEnvironment } from './spawn-plan.js';

/** A line, and the warnings that may precede it. */
const ANSWER_CHARS_MAX = 65_536;
const BOUND_MS = 60_000;

export interface Answer {
  stdout: string;
  stderr: string;
  /** Exit status; null when it was ended by the bound, or could not be started. */
  status: number | null;
}

/**
 * Asks bpftrace something that runs no program and is short (`--version`). `args` are ours; a caller's word may
 * stand in them only where it can't be taken for an option. `cancel` ends it at once.
 */
export async function askBpftrace(
  launcher: Launcher,
  path: string,
  args: readonly string[],
  cancel?: AbortSignal,
): Promise<Answer> {
  const plan = launcher.plan(path, args, BOUND_MS, childEnvironment(process.env));
  const { stdout, stderr, exitCode, spawnError } = await runCommand(plan, {
    timeoutMs: BOUND_MS,
    outputCharsMax: ANSWER_CHARS_MAX,
    ...(cancel && { cancel }),
  });
  return { stdout, stderr: stderr || (spawnError ?? ''), status: exitCode };
}
