import { setTimeout as sleep } from 'node:timers/promises';
import { STDERR_HEAD_BYTES } from '../src/contract/board.js';
import { Cell, WORD } from '../src/contract/cell.js';
import type { StandbyEnd, StandbyTask, TraceOutcome, TraceTask } from '../src/contract/trace.js';
import { type ChildListener, type StartedChild, startChild } from './child.js';
import { LiveSource } from './live-source.js';
import trace, { follow, textFor } from './trace.js';

/**
 * The task of a worker that keeps a bpftrace ready: started, and waiting on its standard input for a program.
 *
 *   waiting  entered with the spawn. Left when a program comes, when the child ends or says something on standard
 *            output (whatever that is, it does not wait for a program), or when the owner closes the port.
 *   taken    a program came: from here on it is an execution as any other, with the same ends. Where the child turns
 *            out to be of no use, and has run nothing, the program is started as if there had been none.
 */
export default async function standby(task: StandbyTask): Promise<TraceOutcome | StandbyEnd> {
  const { port } = task;
  const given = new Promise<TraceTask | undefined>(resolve => {
    port.once('message', resolve);
    port.once('close', () => resolve(undefined));
  });
  try {
    const early = new EarlyWords();
    const started = await startChild(task.spawn, task.pipes, early);
    if ('spawnError' in started) return { lost: `it could not be started: ${started.spawnError.message}` };
    started.child.on('error', () => {});
    new Cell(task.cell).store(WORD.PID, started.pid);
    const lost = Promise.race([
      started.exited.then(({ exitCode, signal }) => `it ended, ${signal ?? `exit code ${exitCode}`}`),
      early.spoke.then(() => 'it printed something before it had a program'),
    ]);
    const first = await Promise.race([given, lost]);
    if (first === undefined) return end(started, {});
    if (typeof first === 'string') return end(started, { lost: first });
    // It would be given the program and do nothing with it.
    if (started.handle.isOutOfAction() === true) {
      await end(started, {});
      return { ...(await trace(first)), standbyLost: 'it had been stopped or killed by a signal' };
    }
    started.give(textFor(first));
    const outcome = await follow(first, async listener => {
      early.handOver(listener);
      started.listener = listener;
      return new LiveSource(first, started);
    });
    if (!outcome.ranNothing || outcome.ending) return outcome;
    return { ...(await trace(first)), standbyLost: 'it was gone before it had read the program' };
  } finally {
    port.close();
  }
}

const GONE_BOUND_MS = 2000;

/** Nothing is attached and nothing was gathered: SIGKILL harms nothing. */
async function end(started: StartedChild, how: StandbyEnd): Promise<StandbyEnd> {
  const { stdin, stderr, output, handle, exited } = started;
  handle.signalGroup('SIGKILL');
  stdin.destroy();
  await Promise.race([exited, sleep(GONE_BOUND_MS)]);
  await handle.clear(GONE_BOUND_MS);
  await Promise.race([output.ended, sleep(GONE_BOUND_MS)]);
  output.close();
  stderr.destroy();
  return how;
}

/** What it says before it has its program, such as bpftrace's words about limits: they belong to the execution. */
class EarlyWords implements ChildListener {
  private said = Buffer.alloc(0);
  private speak: () => void = () => {};
  readonly spoke = new Promise<void>(resolve => {
    this.speak = resolve;
  });

  onStdout = (): void => this.speak();

  onStderr = (chunk: Buffer): void => {
    this.said = Buffer.concat([this.said, chunk]).subarray(0, STDERR_HEAD_BYTES);
  };

  handOver(listener: ChildListener): void {
    if (this.said.length > 0) listener.onStderr(this.said);
  }
}
