import { threadId } from 'node:worker_threads';

/**
 * The stock: pipes for the standard output of children, which the main thread has had made (src/pool/pipe-maker.ts)
 * and the workers use, one execution at a time.
 *
 * A pipe is kept by a read end of its own, the *keeper*. A worker opens fresh ends of it by way of /proc/self/fd; when
 * its read end has met the end of the file, nobody holds a write end any more, so nothing that an execution left
 * behind can write into the next one, and the pipe goes back. Otherwise it is spoilt, and the main thread closes it.
 *
 * Layout (one SharedArrayBuffer), three Int32 words for each of {@link PIPES_MAX} places:
 *
 *   word 0   STATE     one of {@link State}, or the number of the thread that has taken it, above these; `empty`,
 *                      `spoilt` → `free`, `empty` by main, `free` ⇄ taken and taken → `spoilt` by a worker, and by
 *                      main where that thread is gone
 *   word 1   KEEPER    main: file descriptor of the keeper, valid in the whole process
 *   word 2   CAPACITY  main: bytes that the pipe holds
 */
export const PIPES_MAX = 64;
const WORDS = 3;
const KEEPER = 1;
const CAPACITY = 2;

const State = { empty: 0, free: 1, spoilt: 2 } as const;
const TAKEN = 3;

export interface StockedPipe {
  place: number;
  keeper: number;
  capacityBytes: number;
}

export class PipeStock {
  private readonly words: Int32Array<SharedArrayBuffer>;

  constructor(readonly shared = new SharedArrayBuffer(PIPES_MAX * WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.words = new Int32Array(shared);
  }

  /** Main thread: false when there is no place left. */
  add(keeper: number, capacityBytes: number): boolean {
    for (let place = 0; place < PIPES_MAX; place++) {
      const at = place * WORDS;
      if (Atomics.load(this.words, at) !== State.empty) continue;
      this.words[at + KEEPER] = keeper;
      this.words[at + CAPACITY] = capacityBytes;
      Atomics.store(this.words, at, State.free);
      return true;
    }
    return false;
  }

  /** Main thread: takes out those that are spoilt, or that nobody uses; their keepers. */
  takeOut(which: 'spoilt' | 'free'): number[] {
    const keepers: number[] = [];
    for (let at = 0; at < this.words.length; at += WORDS) {
      if (Atomics.compareExchange(this.words, at, State[which], State.empty) === State[which])
        keepers.push(this.words[at + KEEPER] ?? -1);
    }
    return keepers;
  }

  /** Main thread: a thread that is gone gives nothing back. What was taken by any but the `living` is spoilt. */
  spoilOrphans(living: ReadonlySet<number>): void {
    for (let at = 0; at < this.words.length; at += WORDS) {
      const state = Atomics.load(this.words, at);
      if (state >= TAKEN && !living.has(state - TAKEN))
        Atomics.compareExchange(this.words, at, state, State.spoilt);
    }
  }

  /** Worker: undefined when none is free. */
  take(): StockedPipe | undefined {
    for (let place = 0; place < PIPES_MAX; place++) {
      const at = place * WORDS;
      if (Atomics.compareExchange(this.words, at, State.free, TAKEN + threadId) !== State.free) continue;
      return { place, keeper: this.words[at + KEEPER] ?? -1, capacityBytes: this.words[at + CAPACITY] ?? 0 };
    }
    return undefined;
  }

  /** Worker. @param clean its end of file has been read */
  giveBack({ place }: StockedPipe, clean: boolean): void {
    Atomics.store(this.words, place * WORDS, clean ? State.free : State.spoilt);
  }
}
