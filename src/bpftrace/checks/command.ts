import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { SupervisorTalk } from '../../contract/supervisor.js';
import type { SpawnPlan } from '../../contract/trace.js';
import { keepAnswer, keptAnswer } from '../../recording/answers.js';

/**
 * Runs one short command to its end: bounded in time and in output, nothing of it left behind. Where its plan says so,
 * the answer is kept for a replay, or is one that was.
 */

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

/** The `spawnError` of what was not asked when the recording was made that is replayed. */
export const NOT_RECORDED = 'that was not asked when the recording was made';

export interface CommandOptions {
  timeoutMs: number;
  /** Written to standard input, which is then closed. */
  stdin?: string;
  /** Kept of each stream; the rest is read and thrown away. Default: 256 KiB; `--info` is 2 kB. */
  outputCharsMax?: number;
  /** Aborted when nobody waits for it any more: it is killed. */
  cancel?: AbortSignal;
  /** After the child's exit, for what of its output is still to be read. Default: 250. */
  pipeGraceMs?: number;
}

const OUTPUT_CHARS_MAX = 256 * 1024;
/** Between SIGTERM and SIGKILL; a supervisor has killed its bpftrace by then. */
const TERM_GRACE_MS = 250;
/** For a pipe still held open, after the child's exit, by something that left the process group. */
const PIPE_GRACE_MS = 250;

export async function runCommand(plan: SpawnPlan, options: CommandOptions): Promise<CommandResult> {
  const { answers } = plan;
  const { stdin = '' } = options;
  if (answers?.recorded) {
    const kept = keptAnswer(answers, stdin);
    const nothing = { spawnError: NOT_RECORDED, exitCode: null, signal: null, stdout: '', stderr: '' };
    return { ...(kept ?? nothing), timedOut: false, durationMs: 0 };
  }
  const result = await runNow(plan, options);
  const { exitCode, signal, stdout, stderr, spawnError, timedOut } = result;
  if (answers && !timedOut && spawnError === undefined && !options.cancel?.aborted) {
    keepAnswer(answers, { args: answers.args, stdin, exitCode, signal, stdout, stderr });
  }
  return result;
}

function runNow(plan: SpawnPlan, options: CommandOptions): Promise<CommandResult> {
  const startMs = performance.now();
  const charsMax = options.outputCharsMax ?? OUTPUT_CHARS_MAX;
  return new Promise(resolve => {
    const { command, args, env, supervised } = plan;
    // A group (and session) of its own: one signal reaches every descendant.
    const child = spawn(command, args, { detached: true, stdio: 'pipe', env, cwd: '/' });
    const output = { stdout: '', stderr: '' };
    const decoder = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
    const take = (name: 'stdout' | 'stderr', bytes: Buffer): void => {
      const text = decoder[name].write(bytes);
      if (output[name].length < charsMax) output[name] += text;
    };
    // A child that does not read its input closes it early; its exit status tells the story, not EPIPE.
    child.stdin.on('error', () => {});
    let ended: { exitCode: number | null } | undefined;
    const talk =
      supervised &&
      new SupervisorTalk(
        supervised,
        options.stdin ?? '',
        bytes => (bytes ? child.stdin.write(bytes) : child.stdin.end()),
        {
          end: exitCode => {
            ended = { exitCode };
          },
        },
      );
    if (!talk) child.stdin.end(options.stdin ?? '');
    child.stdout.on('data', (chunk: Buffer) => take('stdout', chunk));
    child.stderr.on('data', (chunk: Buffer) => take('stderr', talk ? talk.heard(chunk) : chunk));
    child.stderr.on('end', () => talk && take('stderr', talk.rest()));

    let timedOut = false;
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, action: () => void) => timers.push(setTimeout(action, ms));
    const killGroup = (signal: NodeJS.Signals) => {
      // What sudo has started is not ours to signal.
      if (child.pid === undefined || talk) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // ESRCH: already gone.
      }
    };
    const abandonPipes = () => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const finish = (exitCode: number | null, signal: NodeJS.Signals | null, spawnError?: string) => {
      for (const timer of timers) clearTimeout(timer);
      options.cancel?.removeEventListener('abort', kill);
      const failed = spawnError === undefined ? {} : { spawnError };
      resolve({
        ...failed,
        exitCode,
        signal,
        ...ended,
        ...output,
        timedOut,
        durationMs: performance.now() - startMs,
      });
    };

    after(options.timeoutMs, () => {
      timedOut = true;
      if (talk) talk.close();
      else killGroup('SIGTERM');
      after(TERM_GRACE_MS, () => {
        killGroup('SIGKILL');
        // Where even that does not help the caller's bound still holds.
        after(PIPE_GRACE_MS, () => {
          abandonPipes();
          child.unref();
          finish(child.exitCode, child.signalCode);
        });
      });
    });
    const kill = (): void => (talk ? talk.close() : killGroup('SIGKILL'));
    options.cancel?.addEventListener('abort', kill);
    child.on('error', (error: NodeJS.ErrnoException) => finish(null, null, error.code ?? error.message));
    child.on('exit', () => {
      after(options.pipeGraceMs ?? PIPE_GRACE_MS, () => {
        killGroup('SIGKILL');
        abandonPipes();
      });
    });
    child.on('close', (exitCode, signal) => finish(exitCode, signal));
  });
}
