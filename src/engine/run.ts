import type { Diagnostic } from '../bpftrace/diagnostics/index.js';
import { type SnapshotPlan, withoutAddition } from '../bpftrace/snapshot-plan.js';
import { type BoardContent, decodeBoard, EMPTY_BOARD, encodeBoard, readBoard } from '../contract/board.js';
import { type Cell, Command, monotonicMs, Phase, WORD } from '../contract/cell.js';
import { type RingViews, sealedRing, sealedWhileWritten } from '../contract/ring.js';
import type { TraceOutcome } from '../contract/trace.js';
import { Deferred } from '../deferred.js';
import type { Crash, LiveTrace } from '../pool/trace-pool.js';
import type { Status } from '../results/result.js';
import { linesTotal, readLines } from '../results/ring-reader.js';
import type { Timed } from './estimates.js';
import { EMPTY_RING, type Kept, keptOfNothing, type Sealed, sealed, unstarted } from './kept.js';
import type { SnapshotSupport } from './snapshot-support.js';
import { isCrash, judge, notHandedOver, type Stop } from './verdict.js';

export interface RunOptions {
  /** Of the execution that it was made for. */
  id: string;
  program: string;
  deadlineMs: number;
  maxLines: number;
  graceS: number;
  floodS: number;
  floodBytesPerS: number;
  snapshots: Pick<SnapshotSupport, 'plan' | 'retry' | 'learn'>;
  /** Called when a slot is free, and again where the program turns out not to bear what was added to it. */
  start: (plan: SnapshotPlan) => LiveTrace;
  /** It is a recording. `note` tells what differs from what was asked for. */
  replayed?: { note: (isStopped: boolean) => string | undefined };
  /** What bpftrace said on standard error, and in the last line of its output. */
  explain: (stderr: string, lastLine: string | undefined) => Promise<Diagnostic[]>;
}

/** Who wants it to go on. */
export interface Holder {
  /** Through which view it was handed in. */
  readonly owner: object;
  /** Has asked to be let go, and will be in a moment. */
  readonly isLeaving: boolean;
  /** Others have, or had, a part in it at the same time. */
  isShared: boolean;
  /** With what the run has gathered. */
  end(kept: Kept): void;
}

/**
 * One bpftrace child, from the queue to what is kept of it, for one execution or for several that share it.
 *
 *   queued     entered when it is made. Left for `starting` when the queue calls {@link run}, or for `stopped`
 *              when everybody has left first: then it never runs.
 *   starting   a worker has it. Left for `running` when everything is attached, or for an end.
 *   running    attached; the deadline counts from here. Left for an end only.
 *   completed, failed, stopped   the ends: entered once, when the child is gone and what it printed is sealed.
 *
 * While it runs, its state and contents are read from the worker's shared memory; this thread is told nothing
 * but the end. So a look costs the same whether the program prints one line a second or a million.
 */
export class Run implements Timed {
  /** It has a worker, or has ended without one. */
  readonly begun = new Deferred();
  readonly ended = new Deferred();
  readonly holders = new Set<Holder>();
  beganAtMs: number | undefined;
  private live: LiveTrace | undefined;
  /** What was gathered is its holders': whoever left before must not keep it in memory by knowing the run. */
  private over: Pick<Kept, 'verdict' | 'attachedAtMs' | 'durationMs'> | undefined;
  private plan: SnapshotPlan = { unsupported: 'it has not begun' };
  private stopped: Stop | undefined;
  private copied: { news: number | undefined; contents: Sealed } | undefined;

  constructor(readonly options: RunOptions) {}

  get deadlineMs(): number {
    return this.options.deadlineMs;
  }

  join(holder: Holder): void {
    this.holders.add(holder);
    if (this.holders.size > 1) for (const one of this.holders) one.isShared = true;
  }

  async run(): Promise<void> {
    this.beganAtMs = monotonicMs();
    const { snapshots, program } = this.options;
    this.plan = await snapshots.plan(program);
    if (this.stopped) return this.stopUnstarted(this.stopped);
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
    const contents = crashed
      ? sealed(sealedRing(live.ring), encodeBoard(readBoard(live.board)))
      : sealed(outcome.lines, outcome.board);
    const { ring, board } = contents;
    const attachedProbes = live.cell.load(WORD.ATTACHED_PROBES);
    const { stderr, maps } = decodeBoard(board);
    const lastLine = readLines(ring, linesTotal(ring) - 1, 1).lines[0];
    const diagnostics = await this.options.explain(this.ownWords(stderr), lastLine);
    const kept: Kept = {
      leftBehind: !crashed && outcome.leftBehind,
      verdict: judge({
        outcome,
        diagnostics,
        announcedAttach: attachedProbes >= 0,
        printed: linesTotal(ring) > 0 || maps.length > 0,
        stop: this.stopped,
        lastLine,
        bounds: this.options,
        program,
      }),
      contents,
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
    this.end(kept);
  }

  /** Hands it to a worker; undefined when that failed, and the execution with it. */
  private begin(): LiveTrace | undefined {
    try {
      this.live = this.options.start(this.plan);
      return this.live;
    } catch (error) {
      // No memory for its buffers: it fails, the server goes on.
      this.end(keptOfNothing(notHandedOver(error)));
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

  /** Nobody waits for it any longer: it has left the queue, or is about to begin. */
  stopUnstarted(stop: Stop): void {
    this.end(keptOfNothing(unstarted(stop)));
  }

  private end(kept: Kept): void {
    const { verdict, attachedAtMs, durationMs } = kept;
    this.over = { verdict, attachedAtMs, durationMs };
    this.copied = undefined;
    for (const holder of this.holders) holder.end(kept);
    this.holders.clear();
    this.begun.resolve();
    this.ended.resolve();
  }

  /** Asks its worker to end it; `kill` goes without the grace period. The first cause is the one that is told. */
  stop(stop: Stop, command: Command = Command.stop): void {
    if (this.over) return;
    this.stopped ??= stop;
    this.live?.cell.command(command);
  }

  get status(): Status {
    if (this.over) return this.over.verdict.status;
    if (!this.live) return this.beganAtMs === undefined ? 'queued' : 'starting';
    return this.live.cell.attachedAtMs > 0 ? 'running' : 'starting';
  }

  /** Its end has been asked for. */
  get stopAsked(): boolean {
    return this.stopped !== undefined || this.over?.verdict.status === 'stopped';
  }

  /** Told to end, and not gone yet. */
  get isEnding(): boolean {
    return this.live !== undefined && this.live.cell.load(WORD.PHASE) === Phase.ending;
  }

  /** To wait on, while it runs. */
  get cell(): Cell | undefined {
    return this.live?.cell;
  }

  /** 0 until then. */
  get attachedAtMs(): number {
    return this.over?.attachedAtMs ?? this.live?.cell.attachedAtMs ?? 0;
  }

  /** The time traced; before attaching, and when it never was, the time since it began. */
  get durationMs(): number {
    if (this.over) return this.over.durationMs;
    const since = this.live?.cell.attachedAtMs || this.beganAtMs;
    return since === undefined ? 0 : monotonicMs() - since;
  }

  get ring(): RingViews {
    return this.live?.ring ?? EMPTY_RING;
  }

  /** A copy: maps and standard error as last published. */
  get board(): BoardContent {
    if (!this.live) return EMPTY_BOARD;
    const board = readBoard(this.live.board);
    return { ...board, stderr: this.ownWords(board.stderr) };
  }

  /** A copy of what is there now, while it goes on; the same one until there is something new. */
  get contentsNow(): Sealed {
    const news = this.cell?.load(WORD.NEWS);
    if (this.copied?.news !== news || !this.copied) {
      this.copied = { news, contents: sealed(sealedWhileWritten(this.ring), encodeBoard(this.board)) };
    }
    return this.copied.contents;
  }

  /** Why its maps can't be read before it ends. */
  get noSnapshots(): string | undefined {
    return 'unsupported' in this.plan ? this.plan.unsupported : undefined;
  }
}
