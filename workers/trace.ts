import { Cell, Command, EndingCause, monotonicMs, Phase, WORD } from '../src/contract/cell.js';
import type { Ending } from '../src/contract/child-end.js';
import type { ReplayTask } from '../src/contract/recording.js';
import { RingViews, sealedRing } from '../src/contract/ring.js';
import type { TraceOutcome, TraceTask } from '../src/contract/trace.js';
import { Bell } from './attach-watch.js';
import { type ChildListener, startChild } from './child.js';
import { LineAssembler } from './lines.js';
import { LiveSource } from './live-source.js';
import { LatestMaps } from './map/latest-maps.js';
import { readingOf } from './map/reading.js';
import { Publisher } from './publisher.js';
import { Recorder } from './recorder.js';
import { RecordReader } from './records.js';
import { ReplaySource } from './replay-source.js';
import { RingWriter } from './ring-writer.js';
import { RuntimeMessages } from './runtime-messages.js';
import { SnapshotReader } from './snapshot-reader.js';
import type { Source } from './source.js';
import { StderrText } from './stderr-text.js';

/**
 * The task of a worker: one bpftrace from its start to its end, or the recording of one. The task lasts exactly as long as the child,
 * its pipes and its process group.
 *
 *   starting  entered with the spawn. Left when everything is attached, when the child ends, when the start
 *             takes too long, or when the owner asks.
 *   running   entered when everything is attached; the deadline counts from here. Left likewise.
 *   ending    entered when the ladder begins, for the cause that came first. Left when the child is gone.
 */

// A thread's standard output is the process's, which carries the protocol: nothing may ever reach it.
process.stdout.write = process.stderr.write.bind(process.stderr);

const VERSION_BOUND_MS = 3000;

const CAUSE_WORD: Record<Ending, EndingCause> = {
  deadline: EndingCause.deadline,
  stop: EndingCause.stop,
  start_timeout: EndingCause.startTimeout,
  flood: EndingCause.flood,
};

type SpawnError = NonNullable<TraceOutcome['spawnError']>;
type Start = (listener: ChildListener) => Promise<Source | { spawnError: SpawnError }>;

export default function trace(task: TraceTask): Promise<TraceOutcome> {
  return follow(task, async listener => {
    const { spawn } = task;
    if (!('command' in spawn)) return openRecording(spawn, listener);
    const started = await startChild(spawn, task.pipes, listener);
    if ('spawnError' in started) return started;
    started.give(textFor(task));
    return new LiveSource(task, started);
  });
}

function openRecording(task: ReplayTask, listener: ChildListener): Source | { spawnError: SpawnError } {
  if (task.end.spawn_error) return { spawnError: task.end.spawn_error };
  try {
    return new ReplaySource(task, listener);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // An error of the system has the path in its words, which is the operator's business.
    return {
      spawnError: { code: code ?? 'UNKNOWN', message: `its recording can't be read: ${code ?? message}` },
    };
  }
}

/** What bpftrace is given: the program, and what is added to it. */
export function textFor({ program, snapshots }: TraceTask): string {
  return program + (snapshots?.addition?.text ?? '');
}

/** From the program's way into a child to the child's end. @param start gives what has its program */
export async function follow(task: TraceTask, start: Start): Promise<TraceOutcome> {
  const cell = new Cell(task.cell);
  const ringViews = new RingViews(task.ring);
  const ring = new RingWriter(ringViews);
  const messages = new RuntimeMessages();
  const reading = () => readingOf(task.programMaps, cell.bpftraceVersion);
  const maps = new LatestMaps(task.mapBytesMax, reading, messages);
  const stderr = new StderrText();
  let source: Source | undefined;
  const now = (): number => source?.now() ?? monotonicMs();
  const snapshotReader = new SnapshotReader(task.snapshots, now);
  const reader = new RecordReader(new LineAssembler(ring, maps), maps, messages, snapshotReader);
  const addedProbes = task.snapshots?.addition ? 1 : 0;
  const publisher = new Publisher(cell, task.board, ring, reader, maps, stderr, addedProbes);
  let outputBytes = 0;
  let onlyAddition = false;
  const hurry = new AbortController();
  const bell = new Bell();
  const begunAt = monotonicMs();
  const recorder = task.record && new Recorder(task.record, () => monotonicMs() - begunAt);

  const result = (outcome: Partial<TraceOutcome>): TraceOutcome => ({
    exitCode: null,
    signal: null,
    killed: false,
    leftBehind: false,
    attached: false,
    ranNothing: false,
    onlyAddition: false,
    durationMs: 0,
    board: publisher.close(),
    lines: sealedRing(ringViews),
    ...(recorder?.problem && { notRecorded: recorder.problem }),
    ...outcome,
  });

  const started = await start({
    onStdout: chunk => {
      recorder?.stdout(chunk);
      outputBytes += chunk.length;
      reader.push(chunk);
      publisher.publish();
      bell.ring();
      if (onlyAddition || addedProbes === 0 || reader.counters.attachedProbes !== addedProbes) return;
      onlyAddition = true;
      hurry.abort();
      end('stop');
    },
    onStderr: chunk => {
      recorder?.stderr(chunk);
      outputBytes += chunk.length;
      stderr.push(chunk);
      publisher.publish();
    },
  });
  if ('spawnError' in started) {
    const { spawnError } = started;
    const end = { exitCode: null, signal: null, killed: false, leftBehind: false, spawn_error: spawnError };
    recorder?.finish(end, 0);
    return result(started);
  }
  source = started;
  const startedAt = source.pid === 0 ? 0 : begunAt;
  const { exited } = source;

  const gone = new AbortController();
  const over = new AbortController();
  void exited.then(() => {
    gone.abort();
    over.abort();
  });
  cell.store(WORD.PID, source.pid);
  cell.enter(Phase.starting);

  let ending: Ending | undefined;
  let attachedAt: number | undefined;
  let endedAt: number | undefined;
  let killed: Promise<boolean> | undefined;
  const end = (cause: Ending): void => {
    if (ending || gone.signal.aborted || !source) return;
    ending = cause;
    over.abort();
    endedAt = now();
    recorder?.ending(cause, endedAt - begunAt);
    cell.store(WORD.ENDING_CAUSE, CAUSE_WORD[cause]);
    cell.enter(Phase.ending);
    killed = source.end(hurry.signal);
  };
  void obey(cell, gone.signal, command => {
    if (command === Command.kill) hurry.abort();
    started.stop(() => end('stop'));
  });
  source.lead({
    cell,
    counters: reader.counters,
    bell,
    snapshotReader,
    outputBytes: () => outputBytes,
    attached: () => {
      if (ending) return false;
      attachedAt = now();
      recorder?.attached(attachedAt - begunAt);
      cell.attachedAtMs = monotonicMs();
      cell.enter(Phase.running);
      return true;
    },
    end,
    showSnapshot: (snapshot, atMs) => {
      cell.snapshotAtMs = atMs;
      maps.show(snapshot);
      publisher.publishBoard();
    },
    gone: gone.signal,
    over: over.signal,
    witness: recorder,
  });

  const { exitCode, signal } = await exited;
  const exitedAt = now();
  endedAt ??= exitedAt;
  const cleared = await source.finish();
  reader.end();
  // A short program may have run and ended between two looks.
  const wasAttached = attachedAt !== undefined || reader.counters.sawOutput || exitCode === 0;
  const wasKilled = (await killed) ?? false;
  if (!wasKilled && !signal) {
    // What it has printed at its end is newer, and a map that it did not print is empty by now.
    maps.show([]);
    cell.snapshotAtMs = 0;
  }
  if (maps.isProvisional || recorder) await untilVersion(cell);
  const how = { exitCode, signal, killed: wasKilled, leftBehind: !cleared };
  const ranNothing = source.ranNothing && !wasAttached;
  if (onlyAddition || ranNothing) recorder?.discard();
  else recorder?.finish({ ...how, ...versionIn(cell) }, exitedAt - begunAt);
  return result({
    ...how,
    ...(ending && { ending }),
    onlyAddition,
    attached: wasAttached,
    ranNothing,
    durationMs: attachedAt === undefined && wasAttached ? 0 : endedAt - (attachedAt ?? startedAt),
  });
}

function versionIn({ bpftraceVersion }: Cell) {
  return typeof bpftraceVersion === 'object' ? { bpftrace: bpftraceVersion } : {};
}

/** How maps are read depends on it; it is asked for when the child is started, and known long before a child ends. */
async function untilVersion(cell: Cell): Promise<void> {
  if (cell.load(WORD.BPFTRACE) !== 0) return;
  const wait = Atomics.waitAsync(cell.words, WORD.BPFTRACE, 0, VERSION_BOUND_MS);
  if (wait.async) await wait.value;
}

/** Calls back for each command until `ended` aborts. */
async function obey(cell: Cell, ended: AbortSignal, act: (command: Command) => void): Promise<void> {
  let seen: number = Command.none;
  ended.addEventListener('abort', () => Atomics.notify(cell.words, WORD.COMMAND));
  while (!ended.aborted) {
    const command = cell.load(WORD.COMMAND);
    if (command !== seen) {
      seen = command;
      act(command as Command);
      continue;
    }
    const wait = Atomics.waitAsync(cell.words, WORD.COMMAND, seen);
    if (wait.async) await wait.value;
  }
}
