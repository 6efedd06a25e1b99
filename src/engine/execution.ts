import { diagnose, worthShowing } from '../bpftrace/diagnostics/index.js';
import { type BoardContent, decodeBoard } from '../contract/board.js';
import { type Cell, type Command, monotonicMs, WORD } from '../contract/cell.js';
import type { RingViews } from '../contract/ring.js';
import { Deferred } from '../deferred.js';
import type { Ticket } from '../queue/line.js';
import type { Status } from '../results/result.js';
import type { Contents, Stored } from '../results/store.js';
import type { Client } from './client.js';
import { type Kept, keptOfNothing, unstarted } from './kept.js';
import { programHash } from './request.js';
import type { Holder, Run } from './run.js';
import type { Stop, Verdict } from './verdict.js';

interface ExecutionOptions {
  id: string;
  owner: Client;
  /** Within the client, the higher first. */
  priority: number;
  /** A new one, or one that it shares. */
  run: Run;
}

/** Memory of an execution beside its lines, maps and program: a rough upper bound of the objects. */
const OVERHEAD_BYTES = 2048;

/**
 * A client's part in a {@link Run}: an id, and an end of its own. It is where its run is, with one exception: an
 * execution that is stopped while others share the run ends alone, with a copy of what was there at that moment.
 */
export class Execution implements Ticket<Run>, Holder, Stored {
  readonly submittedAt = new Date();
  readonly programHash: string;
  /** It has a worker, or has ended without one. */
  readonly begun = new Deferred();
  readonly ended = new Deferred();
  endedAt: Date | undefined;
  isShared = false;
  /** From attached to the moment when it joined; 0 when it was there before. */
  readonly joinedAtMs: number;
  private readonly queuedAtMs = monotonicMs();
  private leaving: Stop | undefined;
  private kept: Kept | undefined;

  constructor(readonly options: ExecutionOptions) {
    const { run } = options;
    this.programHash = programHash(run.options.program);
    this.joinedAtMs = run.attachedAtMs === 0 ? 0 : monotonicMs() - run.attachedAtMs;
    run.join(this);
    void run.begun.promise.then(() => this.begun.resolve());
  }

  get id(): string {
    return this.options.id;
  }

  get owner(): Client {
    return this.options.owner;
  }

  get client(): string {
    return this.options.owner.name;
  }

  get job(): Run {
    return this.options.run;
  }

  get priority(): number {
    return this.options.priority;
  }

  get runningMax(): number {
    return this.options.owner.limits.concurrent;
  }

  get program(): string {
    return this.job.options.program;
  }

  get deadlineMs(): number {
    return this.job.deadlineMs;
  }

  /** For everybody who shares the run. */
  stop(stop: Stop, command: Command): void {
    if (!this.kept) this.job.stop(stop, command);
  }

  /** Its end is coming, while the run goes on. */
  beginToLeave(stop: Stop): void {
    this.leaving ??= stop;
  }

  get isLeaving(): boolean {
    return this.leaving !== undefined;
  }

  /** Before the run began: others wait for it. */
  leaveUnstarted(stop: Stop): void {
    this.endAlone(keptOfNothing(unstarted(stop)));
  }

  /** With what is there now. @param missing why its maps are not, in words */
  leave({ cause, why }: Stop, missing: string | undefined): void {
    if (this.kept) return;
    const { job } = this;
    const said = diagnose(job.board.stderr, { program: this.program });
    const message = [why, missing].filter(part => part !== undefined).join('; ');
    this.endAlone({
      verdict: {
        status: 'stopped',
        endedBy: cause,
        ...(message !== '' && { message }),
        diagnostics: worthShowing(said, false),
      },
      contents: job.contentsNow,
      attachedProbes: this.attachedProbes,
      attachedAtMs: job.attachedAtMs,
      lostEvents: this.lostEvents,
      snapshotAtMs: this.snapshotAtMs,
      durationMs: job.durationMs,
      leftBehind: false,
    });
  }

  private endAlone(kept: Kept): void {
    const { cell } = this;
    this.job.holders.delete(this);
    this.end(kept);
    cell?.wakeAll();
  }

  end(kept: Kept): void {
    this.kept = kept;
    this.begun.resolve();
    this.ended.resolve();
  }

  get status(): Status {
    return this.kept?.verdict.status ?? this.job.status;
  }

  /** Somebody has asked for its end. */
  get stopAsked(): boolean {
    return this.isLeaving || this.kept?.verdict.status === 'stopped' || this.job.stopAsked;
  }

  /** Told to end, and not gone yet. */
  get ending(): boolean {
    return this.kept === undefined && (this.isLeaving || this.job.isEnding);
  }

  get verdict(): Verdict | undefined {
    return this.kept?.verdict;
  }

  /** To wait on, while it runs. */
  get cell(): Cell | undefined {
    return this.kept ? undefined : this.job.cell;
  }

  /** The time traced; before attaching, and when it never was, the time since it began. */
  get durationMs(): number {
    return this.kept?.durationMs ?? this.job.durationMs;
  }

  /** The time it waited in the queue. */
  get waitedMs(): number {
    return Math.max(0, (this.job.beganAtMs ?? monotonicMs()) - this.queuedAtMs);
  }

  get leftBehind(): boolean {
    return this.kept?.leftBehind ?? false;
  }

  get exitCode(): number | null | undefined {
    return this.kept?.exitCode;
  }

  get ring(): RingViews {
    return this.kept?.contents.ring ?? this.job.ring;
  }

  /** A copy: maps and standard error as last published. */
  get board(): BoardContent {
    return this.kept ? decodeBoard(this.kept.contents.board) : this.job.board;
  }

  /** -1 until bpftrace has said it. */
  get attachedProbes(): number {
    return this.kept?.attachedProbes ?? this.cell?.load(WORD.ATTACHED_PROBES) ?? -1;
  }

  get lostEvents(): number {
    return this.kept?.lostEvents ?? this.cell?.lostEvents ?? 0;
  }

  /** From attached to the snapshot that the maps are of; 0 when they are what the program printed. */
  get snapshotAtMs(): number {
    return this.kept?.snapshotAtMs ?? this.cell?.snapshotAtMs ?? 0;
  }

  /** Why its maps can't be read before it ends. */
  get noSnapshots(): string | undefined {
    return this.job.noSnapshots;
  }

  get ownBytes(): number {
    return OVERHEAD_BYTES + 2 * this.program.length;
  }

  get contents(): Contents {
    return this.kept?.contents ?? NOTHING;
  }
}

const NOTHING: Contents = { bytes: 0 };
