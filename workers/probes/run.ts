import { runCommand } from '../../src/bpftrace/checks/command.js';
import type { SpawnPlan } from '../../src/contract/trace.js';

/** Everything of a host with 150,000 probes is some 8 MB, every function of a large binary as much. */
const OUTPUT_CHARS_MAX = 256 * 1024 * 1024;
/** 0.3 s on a small kernel, and minutes for 80,000 probes on a busy, emulated one: who asks is told before that. */
const BOUND_MS = 180_000;
/** This thread may be busy with a list for a second when a child ends, and its output must not be cut for that. */
const PIPE_GRACE_MS = 10_000;

export interface Output {
  stdout: string;
  stderr: string;
  /** Exit status; null when it was ended by the bound, or could not be started. */
  status: number | null;
}

/** Runs a bpftrace that only lists, and gives back what it printed. Never rejects. */
export async function run(plan: SpawnPlan): Promise<Output> {
  try {
    const { stdout, stderr, exitCode, spawnError, signal, timedOut } = await runCommand(plan, {
      timeoutMs: BOUND_MS,
      outputCharsMax: OUTPUT_CHARS_MAX,
      pipeGraceMs: PIPE_GRACE_MS,
    });
    const killed = timedOut ? `it did not end within ${BOUND_MS / 1000} s` : `it was ended by ${signal}`;
    const said = exitCode === null && spawnError === undefined ? `ERROR: ${killed}` : stderr;
    return { stdout, stderr: said || (spawnError ?? ''), status: exitCode };
  } catch (error) {
    return { stdout: '', stderr: error instanceof Error ? error.message : String(error), status: null };
  }
}
