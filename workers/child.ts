import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { PipeStock } from '../src/contract/pipe-stock.js';
import { type Supervised, SupervisorTalk } from '../src/contract/supervisor.js';
import type { SpawnPlan, TraceOutcome } from '../src/contract/trace.js';
import { type ChildOutput, OutputPipe, streamOutput } from './child-output.js';
import type { BpftraceHandle } from './handle.js';
import { OwnChild } from './own-child.js';
import { SupervisedChild } from './supervised-child.js';

type SpawnError = NonNullable<TraceOutcome['spawnError']>;

/** How bpftrace ended: an exit code, or the name of the signal that ended it. */
export type Exit = Pick<TraceOutcome, 'exitCode' | 'signal'>;

export interface StartedChild {
  /** Of the process that was spawned, which leads a group of its own. */
  pid: number;
  child: ChildProcess;
  stdin: Writable;
  stderr: Readable;
  /** Its standard output. */
  output: ChildOutput;
  handle: BpftraceHandle;
  exited: Promise<Exit>;
  /** Who is told what it prints; may be replaced at any time. */
  listener: ChildListener;
  /** Hands it its program, once. */
  give: (program: string) => void;
  /** Its standard input broke before it had the whole of its program: it has run nothing of it. Certain when its pipes are closed. */
  inputBroke: boolean;
}

export interface ChildListener {
  onStdout: (chunk: Buffer) => void;
  onStderr: (chunk: Buffer) => void;
}

/**
 * Starts one bpftrace, which waits for its program.
 *
 * The child leads a session and a process group of its own: a signal from the terminal reaches only the
 * server, and the ending ladder reaches everything the child may have started. The program travels on
 * standard input (`bpftrace -`), so nothing a caller wrote ever stands on a command line.
 */
export async function startChild(
  plan: SpawnPlan,
  pipes: SharedArrayBuffer,
  listener: ChildListener,
): Promise<StartedChild | { spawnError: SpawnError }> {
  const pipe = OutputPipe.open(new PipeStock(pipes));
  let isStarted = false;
  try {
    const child = spawn(plan.command, plan.args, {
      env: plan.env,
      cwd: '/',
      detached: true,
      stdio: ['pipe', pipe?.writeEnd ?? 'pipe', 'pipe'],
    });
    const { pid, stdin, stderr, stdout } = child;
    // Some errors of the system are thrown, others are an event; with the latter the pipes may be missing (EMFILE).
    if (pid === undefined || !stdin || !stderr) throw (await once(child, 'error'))[0];
    isStarted = true;
    const print = (chunk: Buffer): void => started.listener.onStdout(chunk);
    const exit = once(child, 'exit').then(([exitCode, signal]): Exit => ({ exitCode, signal }));
    const started: StartedChild = {
      pid,
      child,
      stdin,
      stderr,
      output: pipe ? pipe.read(print) : streamOutput(stdout, print),
      listener,
      handle: new OwnChild(pid),
      exited: exit,
      give: program => stdin.end(program),
      inputBroke: false,
    };
    // A child that dies before it has read its program breaks the pipe; its exit tells why.
    stdin.on('error', () => {
      started.inputBroke = true;
    });
    if (plan.supervised) Object.assign(started, supervise(started, plan.supervised, exit));
    else stderr.on('data', chunk => started.listener.onStderr(chunk));
    return started;
  } catch (error) {
    if (!isStarted) pipe?.abandon();
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    return { spawnError: { code, message } };
  }
}

/** With a supervisor in between, its word is how bpftrace ended; sudo's own exit is told where it never came to that. */
function supervise(
  started: StartedChild,
  supervised: Supervised,
  exit: Promise<Exit>,
): Pick<StartedChild, 'handle' | 'exited' | 'give'> {
  const { stdin, stderr } = started;
  let reported: Exit | undefined;
  const talk = new SupervisorTalk(
    supervised,
    undefined,
    bytes => (bytes ? stdin.write(bytes) : stdin.end()),
    {
      look: look => handle.saw(look),
      end: (exitCode, signal) => {
        reported = { exitCode, signal: signalName(signal) };
      },
    },
  );
  const handle = new SupervisedChild(talk);
  stderr.on('data', (chunk: Buffer) => {
    const own = talk.heard(chunk);
    if (own.length > 0) started.listener.onStderr(own);
  });
  const stderrEnded = once(stderr, 'end').then(() => {
    const rest = talk.rest();
    if (rest.length > 0) started.listener.onStderr(rest);
  });
  const exited = exit.then(async own => {
    await stderrEnded;
    talk.close();
    return reported ?? own;
  });
  return { handle, exited, give: program => talk.give(program) };
}

function signalName(number: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return (found as NodeJS.Signals | undefined) ?? null;
}
