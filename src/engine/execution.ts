import type { Diagnostic } from '../bpftrace/diagnostics/index.js';
import { type SnapshotPlan, withoutAddition } from '../bpftrace/snapshot-plan.js';
import { type BoardContent, decodeBoard, EMPTY_BOARD, encodeBoard, readBoard } from '../contract/board.js';
import { type Cell, Command, monotonicMs, Phase, WORD } from '../contract/cell.js';
import { initRing, RingViews, ringBytes, sealedRing } from '../contract/ring.js';
import type { SnapshotMethod } from '../contract/snapshot.js';
import type { TraceOutcome } from '../contract/trace.js';
import { Deferred } from '../deferred.js';
import type { Crash, LiveTrace } from '../pool/trace-pool.js';
import type { Ticket } from '../queue/line.js';
import type { Status } from '../results/result.js';
import { linesTotal, readLines } from '../results/ring-reader.js';
import type { Contents, Stored } from '../results/store.js';
import type { Timed } from './estimates.js';
import { programHash } from './request.js';
import type { SnapshotSupport } from './snapshot-support.js';
import { isCrash, judge, type Stop, type Verdict } from './verdict.js';

interface ExecutionOptions {
  id: string;
  client: string;
  program: string;
  deadlineMs: number;
  /** Within the client, the higher first. */
  priority: number;
  /** So many of the client's may run at once. */
  runningMax: number;
  maxLines: number;
  graceS: number;
  floodS: number;
  floodBytesPerS: number;
  snapshots: Pick<SnapshotSupport, 'plan' | 'retry' | 'learn'>;
  /** Called when a slot is free, and again where the program turns out not to bear what was added to it. */
  start: (snapshots: SnapshotMethod | undefined) => LiveTrace;
  /** What bpftrace said on standard error, and in the last line of its output. */
  explain: (stderr: string, lastLine: string | undefined) => Promise<Diagnostic[]>;
}

/** What is kept of an execution that has ended. */
interface Kept {
  verdict: Verdict;
  ring: RingViews;
  board: Uint8Array;
  attachedProbes: number;
  attachedAtMs: number;
  lostEvents: number;
  snapshotAtMs: number;
  durationMs: number;
  /** Processes of its group were still being torn down by the kernel when it was given up. */
  leftBehind: boolean;
  /** Absent when there was no process that could give one. */
  exitCode?: number | null;
}

const EMPTY_RING = initRing(new ArrayBuffer(ringBytes(0, 0)), 0, 0);
/** Memory of an execution beside its lines, maps and program: a rough upper bound of the objects. */
const OVERHEAD_BYTES = 2048;

/**
 * One run of a program, from the queue to what is kept of it.
 *
 *   queued     entered when it is made. Left for `starting` when the queue calls {@link run}, or for `stopped`
 *              when it is stopped first: then it never runs.
 *   starting   a worker has it. Left for `running` when everything is attached, or for an end.
 *   running    attached; the deadline counts from here. Left for an end only.
 *   completed, failed, stopped   the ends: entered once, when the child is gone and what it printed is sealed.
 *
 * While it runs, its state and contents are read from the worker's shared memory; this thread is told nothing
 * but the end. So a look costs the same whether the program prints one line a second or a million.
 */
export class Execution implements Timed, Ticket<Execution>, Stored {
  readonly submittedAt = new Date();
  readonly programHash: string;
  /** It has a worker, or has ended without one. */
  readonly begun = new Deferred();
  readonly ended = new Deferred();
  endedAt: Date | undefined;
  private readonly queuedAtMs = monotonicMs();
  beganAtMs: number | undefined;
  /** In which it stands by itself. */
  readonly job = this;
  private live: LiveTrace | undefined;
  private kept: Kept | undefined;
  private plan: SnapshotPlan = { unsupported: 'it has not begun' };
  private stopped: Stop | undefined;

  constructor(readonly options: ExecutionOptions) {
    this.programHash = programHash(options.program);
  }

  get id(): string {
    return this.options.id;
  }

  get client(): string {
    return this.options.client;
  }

  get priority(): number {
    return this.options.priority;
  }

  get runningMax(): number {
    return this.options.runningMax;
  }

  get deadlineMs(): number {
    return this.options.deadlineMs;
  }

  get attachedAtMs(): number {
    return this.kept?.attachedAtMs ?? this.live?.cell.attachedAtMs ?? 0;
  }

  async run(): Promise<void> {
    this.beganAtMs = monotonicMs();
    const { snapshots, program } = this.options;
    this.plan = await snapshots.plan(program);
    if (this.stopped) return this.stopQueued(this.stopped);
    const first = this.begin();
    if (!first) return;
    this.begun.resolve();
    const firstOutcome = await first.outcome;
    const retry = this.retry(firstOutcome);
    if (retry) {
      this.plan = { unsupported: 'the program does not bear the probe that would print its maps' };
      first.release();
    }
    const live = retry ? this.begin() : first;
    if (retry) first.cell.wakeAll();
    if (!live) return;
    const outcome = retry ? await live.outcome : firstOutcome;
    const isAttached = !('crashed' in outcome) && outcome.attached;
    if (isAttached && this.hasAddition) snapshots.learn('yes');
    if (isAttached && retry === 'host') snapshots.learn('no');
    const crashed = 'crashed' in outcome;
    const ring = new RingViews(crashed ? sealedRing(live.ring) : outcome.lines);
    const board = crashed ? encodeBoard(readBoard(live.board)) : outcome.board;
    const attachedProbes = live.cell.load(WORD.ATTACHED_PROBES);
    const { stderr, maps } = decodeBoard(board);
    const lastLine = readLines(ring, linesTotal(ring) - 1, 1).lines[0];
    const diagnostics = await this.options.explain(this.ownWords(stderr), lastLine);
    this.kept = {
      leftBehind: !crashed && outcome.leftBehind,
      verdict: judge({
        outcome,
        diagnostics,
        announcedAttach: attachedProbes >= 0,
        printed: linesTotal(ring) > 0 || maps.length > 0,
        stop: this.stopped,
        lastLine,
        bounds: this.options,
      }),
      ring,
      board,
      attachedProbes,
      attachedAtMs: live.cell.attachedAtMs,
      lostEvents: live.cell.lostEvents,
      snapshotAtMs: live.cell.snapshotAtMs,
      durationMs: crashed ? this.durationMs : outcome.durationMs,
      ...(!crashed && !outcome.spawnError && { exitCode: outcome.exitCode }),
    };
    this.live = undefined;
    live.cell.wakeAll();
    live.release();
    this.ended.resolve();
  }

  /** Hands it to a worker; undefined when that failed, and the execution with it. */
  private begin(): LiveTrace | undefined {
    try {
      this.live = this.options.start('method' in this.plan ? this.plan.method : undefined);
      return this.live;
    } catch (error) {
      // No memory for its buffers, most likely: it fails, the server goes on.
      const message = `it could not be handed to a worker: ${error instanceof Error ? error.message : error}`;
      this.endUnstarted({
        status: 'failed',
        endedBy: 'failure',
        reason: 'start_failed',
        message,
        diagnostics: [],
      });
      return undefined;
    }
  }

  private get hasAddition(): boolean {
    return 'method' in this.plan && this.plan.method.addition !== undefined;
  }

  /** Why it is tried again without what was added to the program, if that may be why it failed. */
  private retry(outcome: TraceOutcome | Crash): 'program' | 'host' | undefined {
    if (!this.hasAddition || this.stopped || 'crashed' in outcome || outcome.spawnError) return undefined;
    if (outcome.onlyAddition) return 'program';
    if (outcome.attached || outcome.ending) return undefined;
    // Somebody has killed it: that tells nothing of the addition.
    if (outcome.signal !== null && !isCrash(outcome.signal)) return undefined;
    return this.options.snapshots.retry(decodeBoard(outcome.board).stderr, this.options.program);
  }

  /** What bpftrace said of the program. */
  private ownWords(stderr: string): string {
    return this.hasAddition ? withoutAddition(stderr, this.options.program) : stderr;
  }

  /** Before it ever ran: it has left the queue for good. */
  stopQueued({ cause, why }: Stop): void {
    this.endUnstarted({
      status: 'stopped',
      endedBy: cause,
      message: why === undefined ? 'stopped before it began' : `stopped before it began: ${why}`,
      diagnostics: [],
    });
  }

  private endUnstarted(verdict: Verdict): void {
    this.kept = {
      verdict,
      ring: EMPTY_RING,
      board: encodeBoard(EMPTY_BOARD),
      attachedProbes: -1,
      attachedAtMs: 0,
      lostEvents: 0,
      snapshotAtMs: 0,
      durationMs: 0,
      leftBehind: false,
    };
    this.begun.resolve();
    this.ended.resolve();
  }

  /** Asks its worker to end it; `kill` goes without the grace period. The first cause is the one that is told. */
  stop(stop: Stop, command: Command = Command.stop): void {
    if (this.kept) return;
    this.stopped ??= stop;
    this.live?.cell.command(command);
  }

  get status(): Status {
    if (this.kept) return this.kept.verdict.status;
    if (!this.live) return this.beganAtMs === undefined ? 'queued' : 'starting';
    return this.live.cell.attachedAtMs > 0 ? 'running' : 'starting';
  }

  /** Somebody has asked for its end. */
  get stopAsked(): boolean {
    return this.stopped !== undefined || this.kept?.verdict.status === 'stopped';
  }

  /** Told to end, and not gone yet. */
  get ending(): boolean {
    return this.live !== undefined && this.live.cell.load(WORD.PHASE) === Phase.ending;
  }

  get verdict(): Verdict | undefined {
    return this.kept?.verdict;
  }

  /** To wait on, while it runs. */
  get cell(): Cell | undefined {
    return this.live?.cell;
  }

  /** The time traced; before attaching, and when it never was, the time since it began. */
  get durationMs(): number {
    if (this.kept) return this.kept.durationMs;
    const since = this.live?.cell.attachedAtMs || this.beganAtMs;
    return since === undefined ? 0 : monotonicMs() - since;
  }

  /** The time it waited in the queue. */
  get waitedMs(): number {
    return (this.beganAtMs ?? monotonicMs()) - this.queuedAtMs;
  }

  get leftBehind(): boolean {
    return this.kept?.leftBehind ?? false;
  }

  get exitCode(): number | null | undefined {
    return this.kept?.exitCode;
  }

  get ring(): RingViews {
    return this.kept?.ring ?? this.live?.ring ?? EMPTY_RING;
  }

  /** A copy: maps and standard error as last published. */
  get board(): BoardContent {
    if (this.kept) return decodeBoard(this.kept.board);
    if (!this.live) return EMPTY_BOARD;
    const board = readBoard(this.live.board);
    return { ...board, stderr: this.ownWords(board.stderr) };
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
    return 'unsupported' in this.plan ? this.plan.unsupported : undefined;
  }

  get ownBytes(): number {
    return OVERHEAD_BYTES + 2 * this.options.program.length;
  }

  get contents(): Contents {
    const { kept } = this;
    return { bytes: kept ? kept.ring.buffer.byteLength + kept.board.byteLength : 0 };
  }
}
