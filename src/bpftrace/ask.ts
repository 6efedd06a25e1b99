import type { Launcher } from '../privilege/launcher.js';
import { runCommand } from './checks/command.js';
import { childEnvironment } from './spawn-plan.js';

/** Everything of a host with 150,000 probes is some 8 MB. */
const ANSWER_CHARS_MAX = 128 * 1024 * 1024;
const BOUND_MS = 60_000;

export interface Answer {
  stdout: string;
  stderr: string;
  /** Exit status; null when it was ended by the bound, or could not be started. */
  status: number | null;
}

/**
 * Asks bpftrace something that runs no program (`-l`, `--version`, …). `args` are ours; a caller's word may
 * stand in them only where it can't be taken for an option.
 */
export async function askBpftrace(
  launcher: Launcher,
  path: string,
  args: readonly string[],
): Promise<Answer> {
  const plan = launcher.plan(path, args, BOUND_MS, childEnvironment(process.env));
  const { stdout, stderr, exitCode, spawnError } = await runCommand(plan, {
    timeoutMs: BOUND_MS,
    outputCharsMax: ANSWER_CHARS_MAX,
  });
  return { stdout, stderr: stderr || (spawnError ?? ''), status: exitCode };
}
