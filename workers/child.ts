import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { SupervisorTalk } from '../src/contract/supervisor.js';
import type { SpawnPlan, TraceOutcome } from '../src/contract/trace.js';
import type { BpftraceHandle } from './handle.js';
import { OwnChild } from './own-child.js';
import { SupervisedChild } from './supervised-child.js';

type SpawnError = NonNullable<TraceOutcome['spawnError']>;

/** How bpftrace ended: an exit code, or the name of the signal that ended it. */
export type Exit = Pick<TraceOutcome, 'exitCode' | 'signal'>;

export interface StartedChild {
  /** Of the process that was spawned, which leads a group of its own. */
  pid: number;
  child: ChildProcessWithoutNullStreams;
  handle: BpftraceHandle;
  exited: Promise<Exit>;
}

interface ChildListener {
  onStdout: (chunk: Buffer) => void;
  onStderr: (chunk: Buffer) => void;
}

/**
 * Starts one bpftrace and hands it its program.
 *
 * The child leads a session and a process group of its own: a signal from the terminal reaches only the
 * server, and the ending ladder reaches everything the child may have started. The program travels on
 * standard input (`bpftrace -`), so nothing a caller wrote ever stands on a command line.
 */
export async function startChild(
  plan: SpawnPlan,
  program: string,
  listener: ChildListener,
): Promise<StartedChild | { spawnError: SpawnError }> {
  try {
    const child = spawn(plan.command, plan.args, { env: plan.env, cwd: '/', detached: true, stdio: 'pipe' });
    const { pid } = child;
    // Some errors of the system are thrown, others are an event; with the latter the pipes may be missing (EMFILE).
    if (pid === undefined) throw (await once(child, 'error'))[0];
    // A child that dies before it has read its program breaks the pipe; its exit tells why.
    child.stdin.on('error', () => {});
    child.stdout.on('data', listener.onStdout);
    const exit = once(child, 'exit').then(([exitCode, signal]): Exit => ({ exitCode, signal }));
    if (plan.supervised) {
      return { pid, child, ...supervise(child, plan.supervised, program, listener, exit) };
    }
    child.stderr.on('data', listener.onStderr);
    child.stdin.end(program);
    return { pid, child, handle: new OwnChild(pid), exited: exit };
  } catch (error) {
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    return { spawnError: { code, message } };
  }
}

/** With a supervisor in between, its word is how bpftrace ended; sudo's own exit is told where it never came to that. */
function supervise(
  child: ChildProcessWithoutNullStreams,
  supervised: NonNullable<SpawnPlan['supervised']>,
  program: string,
  { onStderr }: ChildListener,
  exit: Promise<Exit>,
): { handle: BpftraceHandle; exited: Promise<Exit> } {
  let reported: Exit | undefined;
  const talk = new SupervisorTalk(
    supervised,
    program,
    bytes => (bytes ? child.stdin.write(bytes) : child.stdin.end()),
    {
      look: look => handle.saw(look),
      end: (exitCode, signal) => {
        reported = { exitCode, signal: signalName(signal) };
      },
    },
  );
  const handle = new SupervisedChild(talk);
  child.stderr.on('data', (chunk: Buffer) => {
    const own = talk.heard(chunk);
    if (own.length > 0) onStderr(own);
  });
  const stderrEnded = once(child.stderr, 'end').then(() => {
    const rest = talk.rest();
    if (rest.length > 0) onStderr(rest);
  });
  const exited = exit.then(async own => {
    await stderrEnded;
    talk.close();
    return reported ?? own;
  });
  return { handle, exited };
}

function signalName(number: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return (found as NodeJS.Signals | undefined) ?? null;
}
