import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs, WORD } from '../src/contract/cell.js';
import {
  type AnswerFrame,
  type EndFrame,
  type EndingFrame,
  FRAME,
  type ReplayTask,
  type SnapshotFrame,
} from '../src/contract/recording.js';
import { SnapshotAnswer } from '../src/contract/snapshot.js';
import { Deferred } from '../src/deferred.js';
import type { ChildListener, Exit } from './child.js';
import { type Frame, Frames } from './frames.js';
import type { PrintedMap } from './snapshot-reader.js';
import type { Follower, Source } from './source.js';

interface RecordedSnapshot {
  answer: number;
  maps?: PrintedMap[];
  atMs: number;
}

/** Without a pause, other work of the thread gets its turn this often. */
const TURN_MS = 5;

/**
 * The recording of a child in place of it. Its time is that of the recording: whatever is reckoned from it comes out
 * as it did when it was made, however fast it is played.
 *
 * A recording is played whole. When its owner wants its end earlier, the rest is played at once, and its end counts
 * as asked for: what is shown is always what was seen, and does not depend on the moment of the stop. Bounds are not
 * watched: the recording tells which one was met.
 *
 * Snapshots were taken when somebody asked. They are given out in their order to whoever asks now, none before its
 * time.
 */
export class ReplaySource implements Source {
  readonly pid = 0;
  readonly ranNothing = false;
  private readonly frames: Frames;
  private readonly recordedEnd: EndFrame;
  private readonly exit = new Deferred<Exit>();
  private readonly hurry = new AbortController();
  private readonly snapshots: RecordedSnapshot[] = [];
  private readonly snapshotCame = new Set<() => void>();
  private next: RecordedSnapshot = { answer: SnapshotAnswer.none, atMs: 0 };
  private answers = 0;
  private timeMs = 0;
  private stopAsked: (() => void) | undefined;
  private isAttached = false;

  /** @throws Error where it can't be read */
  constructor(
    private readonly task: ReplayTask,
    private readonly listener: ChildListener,
  ) {
    this.frames = new Frames(task.path);
    this.recordedEnd = task.end;
  }

  get exited(): Promise<Exit> {
    return this.exit.promise;
  }

  now(): number {
    return this.timeMs;
  }

  lead(follower: Follower): void {
    void this.play(follower);
    void this.serveSnapshots(follower);
  }

  stop(end: () => void): void {
    this.stopAsked ??= end;
    this.hurry.abort();
  }

  async end(): Promise<boolean> {
    await this.exited;
    return this.recordedEnd.killed;
  }

  async finish(): Promise<boolean> {
    this.frames.close();
    return !this.recordedEnd.leftBehind;
  }

  private async play(follower: Follower): Promise<void> {
    const begun = monotonicMs();
    let turnAt = begun;
    for (let frame = this.frames.next(); frame && frame.kind !== FRAME.end; frame = this.frames.next()) {
      const waitMs = this.task.fast || this.hurry.signal.aborted ? 0 : begun + frame.atMs - monotonicMs();
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.hurry.signal }).catch(() => {});
      else if (monotonicMs() - turnAt > TURN_MS) await nextTurn();
      if (waitMs > 0 || monotonicMs() - turnAt > TURN_MS) turnAt = monotonicMs();
      this.timeMs = frame.atMs;
      this.take(frame, follower);
    }
    // What it printed may have been read after its exit.
    this.timeMs = this.task.endedAtMs;
    const waitMs = this.task.fast ? 0 : begun + this.timeMs - monotonicMs();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.hurry.signal }).catch(() => {});
    if (this.isAttached) this.stopAsked?.();
    this.exit.resolve(this.recordedEnd);
  }

  private take({ kind, payload }: Frame, follower: Follower): void {
    switch (kind) {
      case FRAME.stdout:
        this.listener.onStdout(payload);
        return;
      case FRAME.stderr:
        this.listener.onStderr(payload);
        return;
      case FRAME.attached:
        this.isAttached = true;
        follower.attached();
        return;
      case FRAME.ending:
        this.stopAsked?.();
        follower.end((contentOf(payload) as EndingFrame).cause);
        return;
      case FRAME.snapshotSignal:
        follower.snapshotReader.expect();
        return;
      case FRAME.snapshotRead: {
        const { shown, at_ms: atMs } = contentOf(payload) as SnapshotFrame;
        const maps = follower.snapshotReader.take(true);
        if (shown && maps) this.next = { ...this.next, maps, atMs };
        return;
      }
      case FRAME.snapshotAnswer:
        this.snapshots.push({ ...this.next, answer: (contentOf(payload) as AnswerFrame).answer });
        this.next = { answer: SnapshotAnswer.none, atMs: 0 };
        this.answers++;
        for (const tell of this.snapshotCame) tell();
    }
  }

  private async serveSnapshots({ cell, over, showSnapshot }: Follower): Promise<void> {
    const wake = (): void => void Atomics.notify(cell.words, WORD.SNAPSHOTS_ASKED);
    over.addEventListener('abort', wake);
    this.snapshotCame.add(wake);
    while (!over.aborted) {
      const asked = cell.load(WORD.SNAPSHOTS_ASKED);
      const isAsked = asked !== cell.load(WORD.SNAPSHOTS_ANSWERED);
      const snapshot = isAsked ? this.snapshots.shift() : undefined;
      if (snapshot) {
        if (snapshot.maps) showSnapshot(snapshot.maps, snapshot.atMs);
        cell.answerSnapshot(asked, snapshot.answer);
      } else if (isAsked && this.answers >= this.recordedEnd.snapshots) {
        cell.answerSnapshot(asked, SnapshotAnswer.notRecorded);
      } else {
        const wait = Atomics.waitAsync(cell.words, WORD.SNAPSHOTS_ASKED, asked);
        if (wait.async) await wait.value;
      }
    }
    cell.answerSnapshot(cell.load(WORD.SNAPSHOTS_ASKED), SnapshotAnswer.ending);
  }
}

function contentOf(payload: Buffer): unknown {
  return JSON.parse(payload.toString('utf8'));
}
