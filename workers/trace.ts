import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cell, Command, EndingCause, monotonicMs, Phase, WORD } from '../src/contract/cell.js';
import { RingViews, sealedRing } from '../src/contract/ring.js';
import type { TraceOutcome, TraceTask } from '../src/contract/trace.js';
import { Bell, untilAttached } from './attach-watch.js';
import { type ChildListener, startChild } from './child.js';
import { endChild } from './ending.js';
import { watchFlood } from './flood-watch.js';
import { LineAssembler } from './lines.js';
import { LatestMaps } from './map/latest-maps.js';
import { readingOf } from './map/reading.js';
import { Publisher } from './publisher.js';
import { RecordReader } from './records.js';
import { RingWriter } from './ring-writer.js';
import { RuntimeMessages } from './runtime-messages.js';
import { SnapshotReader } from './snapshot-reader.js';
import { serveSnapshots } from './snapshots.js';
import { StderrText } from './stderr-text.js';

/**
 * The task of a worker: one bpftrace from its start to its end. The task lasts exactly as long as the child,
 * its pipes and its process group.
 *
 *   starting  entered with the spawn. Left when everything is attached, when the child ends, when the start
 *             takes too long, or when the owner asks.
 *   running   entered when everything is attached; the deadline counts from here. Left likewise.
 *   ending    entered when the ladder begins, for the cause that came first. Left when the child is gone.
 */

// A thread's standard output is the process's, which carries the protocol: nothing may ever reach it.
process.stdout.write = process.stderr.write.bind(process.stderr);

/** Pipes that something outside the process group still holds open are given up after this long. */
const PIPES_AFTER_EXIT_MS = 2000;
const GROUP_AFTER_EXIT_MS = 2000;
const VERSION_BOUND_MS = 3000;

type Ending = NonNullable<TraceOutcome['ending']>;
const CAUSE_WORD: Record<Ending, EndingCause> = {
  deadline: EndingCause.deadline,
  stop: EndingCause.stop,
  start_timeout: EndingCause.startTimeout,
  flood: EndingCause.flood,
};

export default function trace(task: TraceTask): Promise<TraceOutcome> {
  return follow(task, async listener => {
    const started = await startChild(task.spawn, task.pipes, listener);
    if (!('spawnError' in started)) started.give(textFor(task));
    return started;
  });
}

/** What bpftrace is given: the program, and what is added to it. */
export function textFor({ program, snapshots }: TraceTask): string {
  return program + (snapshots?.addition?.text ?? '');
}

type Start = (listener: ChildListener) => ReturnType<typeof startChild>;

/** From the program's way into a child to the child's end. @param start gives a child that has its program */
export async function follow(task: TraceTask, start: Start): Promise<TraceOutcome> {
  const cell = new Cell(task.cell);
  const ringViews = new RingViews(task.ring);
  const ring = new RingWriter(ringViews);
  const messages = new RuntimeMessages();
  const reading = () => readingOf(task.programMaps, cell.bpftraceVersion);
  const maps = new LatestMaps(task.mapBytesMax, reading, messages);
  const stderr = new StderrText();
  const snapshotReader = new SnapshotReader(task.snapshots);
  const reader = new RecordReader(new LineAssembler(ring, maps), maps, messages, snapshotReader);
  const addedProbes = task.snapshots?.addition ? 1 : 0;
  const publisher = new Publisher(cell, task.board, ring, reader, maps, stderr, addedProbes);
  let outputBytes = 0;
  let onlyAddition = false;
  const hurry = new AbortController();
  const bell = new Bell();

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
    ...outcome,
  });

  const startedAt = monotonicMs();
  const started = await start({
    onStdout: chunk => {
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
      outputBytes += chunk.length;
      stderr.push(chunk);
      publisher.publish();
    },
  });
  if ('spawnError' in started) return result(started);
  const { child, output, pid, handle, exited } = started;
  // Until everything is attached, since its first line may tell that.
  const notHurried = output.eager();
  const closed = once(child, 'close').catch(() => {});
  child.on('error', () => {}); // A later one is a signal that could not be sent; the ladder sees that itself.

  const childGone = new AbortController();
  const running = new AbortController();
  void exited.then(() => {
    childGone.abort();
    running.abort();
  });
  cell.store(WORD.PID, pid);
  cell.enter(Phase.starting);

  let ending: Ending | undefined;
  let endedAt: number | undefined;
  let killed: Promise<boolean> | undefined;
  const end = (cause: Ending): void => {
    if (ending || childGone.signal.aborted) return;
    ending = cause;
    running.abort();
    endedAt = monotonicMs();
    cell.store(WORD.ENDING_CAUSE, CAUSE_WORD[cause]);
    cell.enter(Phase.ending);
    killed = endChild({
      handle,
      graceMs: task.graceMs,
      graceMaxMs: task.graceMaxMs,
      exited: exited.then(() => {}),
      hurry: hurry.signal,
      output,
      outputBytes: () => outputBytes,
    });
  };
  void obey(cell, childGone.signal, command => {
    if (command === Command.kill) hurry.abort();
    end('stop');
  });

  let timer = setTimeout(() => end('start_timeout'), task.startTimeoutMs);
  let attachedAt: number | undefined;
  const attached = (): void => {
    if (ending) return;
    clearTimeout(timer);
    attachedAt = monotonicMs();
    notHurried();
    handle.watch(0);
    cell.attachedAtMs = attachedAt;
    cell.enter(Phase.running);
    timer = setTimeout(() => end('deadline'), task.deadlineMs);
    if (task.flood)
      watchFlood(
        task.flood,
        () => outputBytes,
        running.signal,
        () => end('flood'),
      );
    if (!task.snapshots) return;
    void serveSnapshots({
      handle,
      cell,
      method: task.snapshots,
      reader: snapshotReader,
      output,
      outputBytes: () => outputBytes,
      lostEvents: () => reader.counters.lostEvents,
      over: running.signal,
      publish: snapshot => {
        maps.show(snapshot);
        publisher.publishBoard();
      },
    });
  };
  const { counters } = reader;
  void untilAttached({ handle, counters, bell, ended: childGone.signal }).then(yes => yes && attached());

  const { exitCode, signal } = await exited;
  endedAt ??= monotonicMs();
  clearTimeout(timer);
  const cleared = await handle.clear(GROUP_AFTER_EXIT_MS);
  output.eager();
  await Promise.race([Promise.all([closed, output.ended]), sleep(PIPES_AFTER_EXIT_MS)]);
  output.close();
  started.stderr.destroy();
  reader.end();
  // A short program may have run and ended between two looks.
  const wasAttached = attachedAt !== undefined || reader.counters.sawOutput || exitCode === 0;
  const ranNothing = started.inputBroke && !wasAttached;
  const wasKilled = (await killed) ?? false;
  if (!wasKilled && !signal) {
    // What it has printed at its end is newer, and a map that it did not print is empty by now.
    maps.show([]);
    cell.snapshotAtMs = 0;
  }
  if (maps.isProvisional) await untilVersion(cell);
  return result({
    exitCode,
    signal,
    ...(ending && { ending }),
    killed: wasKilled,
    onlyAddition,
    leftBehind: !cleared,
    attached: wasAttached,
    ranNothing,
    durationMs: attachedAt === undefined && wasAttached ? 0 : endedAt - (attachedAt ?? startedAt),
  });
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
