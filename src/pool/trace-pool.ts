import { Piscina } from 'piscina';
import { boardBytes, clearBoard, STDERR_BYTES_MAX } from '../contract/board.js';
import { Cell, WORD } from '../contract/cell.js';
import { initRing, type RingViews, ringBytes } from '../contract/ring.js';
import type { TraceOutcome, TraceTask } from '../contract/trace.js';
import { endOrphan } from './orphan.js';

interface PoolOptions {
  threads: number;
  maxLines: number;
  maxOutputBytes: number;
  maxMapBytes: number;
}

type TraceRequest = Omit<TraceTask, 'cell' | 'ring' | 'board'> & { maxLines: number };

/** The worker thread is gone; its child has been ended. What it had published is still in its buffers. */
export interface Crash {
  crashed: string;
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

interface Buffers {
  ring: SharedArrayBuffer;
  board: SharedArrayBuffer;
}

/**
 * Worker threads, one task each, and the shared buffers they write to. The caller's queue offers no more tasks
 * than there are threads, so Piscina's own queue stays empty. Buffers are as many as ever ran at once, and used
 * again: shared memory that comes and goes with every execution would wait for the garbage collector.
 */
export class TracePool {
  private readonly workers: Piscina<TraceTask, TraceOutcome>;
  private readonly free: Buffers[] = [];
  private closed: Promise<void> | undefined;

  constructor(private readonly options: PoolOptions) {
    this.workers = new Piscina<TraceTask, TraceOutcome>({
      filename: new URL('../../workers/trace.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: options.threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: 30_000,
      // 'sync' parks an idle thread in Atomics.wait, where it would see nothing of its child.
      atomics: 'disabled',
    });
    this.workers.on('error', () => {}); // A crash reaches us through the task it takes down.
  }

  start(request: TraceRequest): LiveTrace {
    const { maxLines, ...task } = request;
    const buffers = this.free.pop() ?? {
      ring: new SharedArrayBuffer(ringBytes(this.options.maxLines, this.options.maxOutputBytes)),
      board: new SharedArrayBuffer(boardBytes(this.options.maxMapBytes + STDERR_BYTES_MAX)),
    };
    const cell = new Cell();
    cell.store(WORD.ATTACHED_PROBES, -1);
    const ring = initRing(buffers.ring, maxLines, this.options.maxOutputBytes);
    clearBoard(buffers.board);
    // No `signal`: aborting it would end the thread and leave the child behind. The cell's command does it.
    const outcome = this.workers
      .run({ ...task, cell: cell.shared, ring: buffers.ring, board: buffers.board })
      .catch(async (error: unknown): Promise<Crash> => {
        await endOrphan(cell);
        return { crashed: error instanceof Error ? error.message : String(error) };
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

  /** Ends the threads. Only after every outcome has come: a thread that is ended takes its child's pipes along. */
  close(): Promise<void> {
    this.closed ??= this.workers.destroy();
    return this.closed;
  }
}
