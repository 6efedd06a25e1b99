import { spawn } from 'node:child_process';
import { childEnvironment } from '../spawn-plan.js';

/** Runs one short command to its end: bounded in time and in output, nothing of it left behind. */

export interface CommandResult {
  /** The operating system's code when the spawn itself failed (`ENOENT`, `EACCES`); all else is empty then. */
  spawnError?: string;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  durationMs: number;
}

interface CommandOptions {
  timeoutMs: number;
  /** Written to standard input, which is then closed. */
  stdin?: string;
}

/** Kept of each stream; the rest is read and thrown away. `--info` is 2 kB, `sudo -l` a few lines. */
const OUTPUT_CHARS_MAX = 256 * 1024;
/** Between SIGTERM and SIGKILL: sudo passes the first on to its child and would orphan it on the second. */
const TERM_GRACE_MS = 250;
/** For a pipe still held open, after the child's exit, by something that left the process group. */
const PIPE_GRACE_MS = 250;

export function runCommand(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const startMs = performance.now();
  return new Promise(resolve => {
    const [file = '', ...args] = argv;
    // A group (and session) of its own: one signal reaches every descendant, and sudo relays signals only
    // when they come from outside its group.
    const child = spawn(file, args, { detached: true, stdio: 'pipe', env: childEnvironment(process.env) });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (output[name].length < OUTPUT_CHARS_MAX) output[name] += chunk;
      });
    }
    // A child that does not read its input closes it early; its exit status tells the story, not EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(options.stdin ?? '');

    let timedOut = false;
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, action: () => void) => timers.push(setTimeout(action, ms));
    const killGroup = (signal: NodeJS.Signals) => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // ESRCH: already gone. EPERM: a root child of sudo, which the SIGTERM that sudo relayed has to end.
      }
    };
    const abandonPipes = () => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const finish = (exitCode: number | null, signal: NodeJS.Signals | null, spawnError?: string) => {
      for (const timer of timers) clearTimeout(timer);
      const failed = spawnError === undefined ? {} : { spawnError };
      resolve({ ...failed, exitCode, signal, ...output, timedOut, durationMs: performance.now() - startMs });
    };

    after(options.timeoutMs, () => {
      timedOut = true;
      killGroup('SIGTERM');
      after(TERM_GRACE_MS, () => {
        killGroup('SIGKILL');
        // Where even that is refused (EPERM) the caller's bound still holds.
        after(PIPE_GRACE_MS, () => {
          abandonPipes();
          child.unref();
          finish(child.exitCode, child.signalCode);
        });
      });
    });
    child.on('error', (error: NodeJS.ErrnoException) => finish(null, null, error.code ?? error.message));
    child.on('exit', () => {
      after(PIPE_GRACE_MS, () => {
        killGroup('SIGKILL');
        abandonPipes();
      });
    });
    child.on('close', (exitCode, signal) => finish(exitCode, signal));
  });
}
