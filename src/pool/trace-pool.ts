import { ArrayTaskQueue, Piscina } from 'piscina';
import { boardBytes, clearBoard, STDERR_BYTES_MAX } from '../contract/board.js';
import { Cell, WORD } from '../contract/cell.js';
import { initRing, type RingViews, ringBytes } from '../contract/ring.js';
import type { StandbyEnd, StandbyTask, TraceOutcome, TraceTask } from '../contract/trace.js';
import { handOver, NoThread } from './hand-over.js';
import { endOrphan } from './orphan.js';
import { PipeMaker } from './pipe-maker.js';
import { STANDBY_IDLE_MS, type Standby, type StandbyPlan, Standbys } from './standbys.js';

interface PoolOptions {
  threads: number;
  maxLines: number;
  maxOutputBytes: number;
  maxMapBytes: number;
  /** Bpftraces that are kept ready for a program, as far as threads are free; absent: none. */
  standby?: { most: number; plan: () => StandbyPlan | undefined; onLost: (why: string) => void };
}

interface TraceRequest extends Omit<TraceTask, 'pipes' | 'cell' | 'ring' | 'board'> {
  maxLines: number;
  /** Of the bpftrace that may stand by for it, see {@link StandbyPlan}; absent: it is started anew. */
  identity?: string;
}

/** The worker thread is gone; its child has been ended. What it had published is still in its buffers. */
export interface Crash {
  crashed: string;
  /** There never was one: no thread could be started, and nothing was done. */
  isUnstarted?: true;
}

/** An execution under way, as the main thread sees it. */
export interface LiveTrace {
  readonly cell: Cell;
  readonly ring: RingViews;
  readonly board: SharedArrayBuffer;
  /** Never rejects. */
  readonly outcome: Promise<TraceOutcome | Crash>;
  /** Gives the buffers back; nothing may be read from them afterwards. */
  release(): void;
}

/** An answer is on its way by then. */
const ANSWER_MS = 10;

const TRACE = new URL('../../workers/trace.js', import.meta.url).href;
const STANDBY = new URL('../../workers/standby.js', import.meta.url).href;

interface Buffers {
  ring: SharedArrayBuffer;
  board: SharedArrayBuffer;
}

/**
 * Worker threads, one task each, and the shared buffers they write to. A task is an execution, or a bpftrace that
 * stands by for one and becomes it: so there are never more children than threads. The caller's queue offers no more
 * executions than there are threads, so Piscina's own queue stays empty but for the moment in which a standby that
 * is of no use leaves its thread. Buffers are as many as ever ran at once, and used
 * again: shared memory that comes and goes with every execution would wait for the garbage collector.
 */
export class TracePool {
  private readonly workers: Piscina<TraceTask | StandbyTask, TraceOutcome | StandbyEnd>;
  private readonly waiting = new ArrayTaskQueue();
  private readonly standbys: Standbys;
  private readonly pipes: PipeMaker;
  private readonly free: Buffers[] = [];
  private running = 0;
  private readySoon: NodeJS.Timeout | undefined;
  private closed: Promise<void> | undefined;

  constructor(private readonly options: PoolOptions) {
    this.pipes = new PipeMaker(options.threads);
    this.standbys = new Standbys({
      most: options.standby?.most ?? 0,
      idleMs: STANDBY_IDLE_MS,
      plan: () => options.standby?.plan(),
      start: task => this.startStandby({ ...task, pipes: this.pipes.stock.shared }),
      onLost: why => options.standby?.onLost(why),
    });
    this.workers = new Piscina<TraceTask | StandbyTask, TraceOutcome | StandbyEnd>({
      filename: TRACE,
      minThreads: 1,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: 30_000,
      // 'sync' parks an idle thread in Atomics.wait, where it would see nothing of its child.
      atomics: 'disabled',
      // A thread that ends would close the numbers of files that sockets have closed, and another thread has opened.
      trackUnmanagedFds: false,
      taskQueue: this.waiting,
    });
    this.workers.on('error', () => {}); // A crash reaches us through the task it takes down.
  }

  /** @throws RangeError where there is no memory for its buffers */
  start(request: TraceRequest): LiveTrace {
    const { maxLines, identity, ...task } = request;
    const buffers = this.free.pop() ?? {
      ring: new SharedArrayBuffer(ringBytes(this.options.maxLines, this.options.maxOutputBytes)),
      board: new SharedArrayBuffer(boardBytes(this.options.maxMapBytes + STDERR_BYTES_MAX)),
    };
    const standby = identity === undefined ? undefined : this.standbys.take(identity);
    const cell = standby?.cell ?? new Cell();
    cell.store(WORD.ATTACHED_PROBES, -1);
    const ring = initRing(buffers.ring, maxLines, this.options.maxOutputBytes);
    clearBoard(buffers.board);
    const whole = {
      ...task,
      pipes: this.pipes.stock.shared,
      cell: cell.shared,
      ring: buffers.ring,
      board: buffers.board,
    };
    if (!standby && this.running + this.standbys.count >= this.options.threads) this.standbys.makeRoom();
    this.running++;
    const outcome = (standby ? this.give(standby, whole) : this.startCold(whole)).catch(
      async (error: unknown): Promise<Crash> => {
        if (error instanceof NoThread) return { crashed: error.message, isUnstarted: true };
        this.pipes.disown(new Set(this.workers.threads.map(({ threadId }) => threadId)));
        await endOrphan(cell);
        return { crashed: error instanceof Error ? error.message : String(error) };
      },
    );
    void outcome.then(() => {
      this.running--;
      this.pipes.mend();
      this.keepReady();
    });
    let released = false;
    return {
      cell,
      ring,
      board: buffers.board,
      outcome,
      release: () => {
        if (!released) this.free.push(buffers);
        released = true;
      },
    };
  }

  /** Worker threads that are there, at work or not. */
  get threadCount(): number {
    return this.workers.threads.length;
  }

  /** Bpftraces that wait for a program. */
  get standbyCount(): number {
    return this.standbys.count;
  }

  /**
   * A program may come: what is to stand by and does not yet is started, in a moment, if nothing runs then. A
   * bpftrace that starts opens some hundred files and uses a processor for a moment: whoever traces the host would
   * see that, and take it for what the host does.
   */
  keepReady(): void {
    if (this.readySoon || this.closed || !this.options.standby) return;
    this.readySoon = setTimeout(() => {
      this.readySoon = undefined;
      if (!this.closed && this.running === 0) this.standbys.keepReady();
    }, ANSWER_MS).unref();
  }

  /** Ends what stands by; resolves when it is gone. */
  dismissStandbys(): Promise<void> {
    return this.standbys.dismissAll();
  }

  /** Ends the threads. Only after every outcome has come: a thread that is ended takes its child's pipes along. */
  close(): Promise<void> {
    this.closed ??= this.standbys
      .dismissAll()
      .then(() => this.workers.destroy())
      .then(() => this.pipes.close());
    return this.closed;
  }

  // No `signal`: aborting it would end the thread and leave the child behind. The cell's command does it.
  private async startCold(task: TraceTask): Promise<TraceOutcome> {
    await this.pipes.ready();
    // The thread answers a task of this kind with an outcome.
    return (await handOver(this.workers, this.waiting, task)) as TraceOutcome;
  }

  private async give({ port, outcome }: Standby, task: TraceTask): Promise<TraceOutcome> {
    port.postMessage(task);
    const end = await outcome;
    port.close();
    // It was on its way out when the program came.
    if (!('exitCode' in end)) {
      this.standbys.lost(end.lost ?? 'it had been told to end');
      return this.startCold(task);
    }
    if (end.standbyLost === undefined) this.standbys.served();
    else this.standbys.lost(end.standbyLost);
    return end;
  }

  private startStandby(task: StandbyTask): Promise<TraceOutcome | StandbyEnd> | undefined {
    if (this.running + this.standbys.count >= this.options.threads) return undefined;
    const { port } = task;
    const options = { filename: STANDBY, transferList: [port] };
    return this.pipes.ready().then(() => handOver(this.workers, this.waiting, task, options));
  }
}
