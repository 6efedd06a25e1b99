import { execFile } from 'node:child_process';
import type { Launcher } from '../privilege/launcher.js';
import { childEnvironment } from './spawn-plan.js';

/** Everything of a host with 150,000 probes is some 8 MB. */
const ANSWER_BYTES_MAX = 128 * 1024 * 1024;
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
export function askBpftrace(launcher: Launcher, path: string, args: readonly string[]): Promise<Answer> {
  const { command, args: wrapped } = launcher.wrap(path, args, BOUND_MS);
  const options = {
    env: childEnvironment(process.env),
    maxBuffer: ANSWER_BYTES_MAX,
    timeout: BOUND_MS,
    killSignal: 'SIGKILL' as const,
    cwd: '/',
  };
  return new Promise(resolve => {
    execFile(command, wrapped, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ stdout, stderr: stderr || (error && status === null ? error.message : ''), status });
    }).stdin?.end();
  });
}
