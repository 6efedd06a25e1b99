import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Cell } from '../contract/cell.js';
import type { SpawnPlan, StandbyEnd, StandbyTask, TraceOutcome } from '../contract/trace.js';
import { endOrphan } from './orphan.js';

/**
 * Bpftraces that stand by: started before there is a program for them, they wait for it on their standard input. The
 * next execution takes one and is spared bpftrace's own start.
 *
 *   kept    entered by {@link Standbys.keepReady}. Left when an execution takes it, when it is stale (another file,
 *           other settings), when it has waited too long, when it has ended of itself, and when the owner says so.
 *   taken   its thread and child are the execution's.
 *   ending  told to end; left when the child is gone.
 *
 * An execution that finds none that suits is started without: nothing depends on them.
 */

/** What to start now, and a text that is another one wherever it would be started differently. */
export interface StandbyPlan {
  spawn: SpawnPlan;
  identity: string;
}

interface StandbyParts {
  /** How many are kept. */
  most: number;
  /** How long one is kept that nobody wants. */
  idleMs: number;
  /** Undefined: none is to be started now. */
  plan: () => StandbyPlan | undefined;
  /** Starts one in a thread of its own; undefined when no thread is free. */
  start: (task: Omit<StandbyTask, 'pipes'>) => Promise<TraceOutcome | StandbyEnd> | undefined;
  /** One was of no use, and why. */
  onLost: (why: string) => void;
}

/**
 * One that nobody has wanted for so long is ended, and no other is started before the next program: an agent that
 * thinks for minutes finds it, and a server that nobody uses holds nothing.
 */
export const STANDBY_IDLE_MS = 600_000;
/** So many in a row that ended of themselves: something does not work here, and trying on would only cost. */
const LOST_IN_A_ROW = 3;
const PAUSE_MS = 600_000;

export class Standbys {
  private readonly kept = new Set<Standby>();
  private readonly ending = new Set<Promise<void>>();
  private lostInRow = 0;
  private pausedUntil = 0;

  constructor(private readonly parts: StandbyParts) {}

  /** How many wait for a program. */
  get count(): number {
    return this.kept.size;
  }

  /** The oldest that was started as `identity` says. */
  take(identity: string): Standby | undefined {
    for (const standby of this.kept) {
      if (standby.identity !== identity) continue;
      this.kept.delete(standby);
      clearTimeout(standby.idle);
      return standby;
    }
    return undefined;
  }

  /** Gives up the oldest, for its thread. */
  makeRoom(): void {
    const [oldest] = this.kept;
    if (oldest) this.dismiss(oldest);
  }

  /** Starts what is missing, as far as it can be started now. */
  keepReady(): void {
    while (this.kept.size < this.parts.most && performance.now() >= this.pausedUntil) {
      const plan = this.parts.plan();
      if (!plan) return;
      for (const standby of this.kept) if (standby.identity !== plan.identity) this.dismiss(standby);
      if (!this.startOne(plan)) return;
    }
  }

  /** Ends all of them; resolves when they are gone. */
  async dismissAll(): Promise<void> {
    for (const standby of this.kept) this.dismiss(standby);
    await Promise.all(this.ending);
  }

  private startOne({ spawn, identity }: StandbyPlan): boolean {
    const { port1, port2 } = new MessageChannel();
    const cell = new Cell();
    const outcome = this.parts.start({ spawn, cell: cell.shared, port: port2 });
    if (!outcome) {
      port1.close();
      return false;
    }
    const standby: Standby = { identity, cell, port: port1, outcome, idle: undefined };
    standby.idle = setTimeout(() => this.dismiss(standby), this.parts.idleMs).unref();
    this.kept.add(standby);
    // It ends of itself only while nobody has taken it or told it to.
    outcome.then(
      end => this.ended(standby, 'lost' in end ? end.lost : undefined),
      async (error: unknown) => {
        const isOurs = this.ended(
          standby,
          `its thread ended: ${error instanceof Error ? error.message : error}`,
        );
        if (isOurs) await endOrphan(cell);
      },
    );
    return true;
  }

  private ended(standby: Standby, why: string | undefined): boolean {
    if (!this.kept.delete(standby)) return false;
    clearTimeout(standby.idle);
    standby.port.close();
    if (why !== undefined) this.lost(why);
    return true;
  }

  private dismiss(standby: Standby): void {
    if (!this.kept.delete(standby)) return;
    clearTimeout(standby.idle);
    this.end(standby);
  }

  private end(standby: Standby): void {
    standby.port.close();
    const gone = standby.outcome.then(
      () => {},
      () => {},
    );
    this.ending.add(gone);
    void gone.then(() => this.ending.delete(gone));
  }

  /** One that was taken was of use. */
  served(): void {
    this.lostInRow = 0;
  }

  lost(why: string): void {
    this.parts.onLost(why);
    if (++this.lostInRow < LOST_IN_A_ROW) return;
    this.lostInRow = 0;
    this.pausedUntil = performance.now() + PAUSE_MS;
    this.parts.onLost(`${LOST_IN_A_ROW} in a row: none is started for ${PAUSE_MS / 60_000} minutes`);
  }
}

/** One that is kept, or has been taken. */
export interface Standby {
  readonly identity: string;
  readonly cell: Cell;
  readonly port: MessagePort;
  /** Of the standby, or of the execution that took it. */
  readonly outcome: Promise<TraceOutcome | StandbyEnd>;
  idle: NodeJS.Timeout | undefined;
}
