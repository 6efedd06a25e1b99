import { availableParallelism, totalmem } from 'node:os';
import { groupMemory } from './control-group.js';

const MIB = 1024 * 1024;
/**
 * A running child costs next to no processor time, but compiling and attaching takes 60 to 280 ms of one (0.17 to
 * 0.27): with programs of a second that is a third of each core at most, or, for 0.27, all of it.
 */
const PER_CORE = 4;
const AUTO_MOST = 64;
/** Until a child has been measured; those that were held 21 to 29 MiB of their own (0.17 to 0.27, a small program). */
const CHILD_MIB = 72;
/** What a child costs beside its own memory: our thread, 10 MiB, and the kernel's buffers and maps. */
const BESIDE_MIB = 24;
/** Of the machine's memory, or of a control group's that is smaller, what is left for others, and at most so much. */
const RESERVE_PART = 1 / 10;
const RESERVE_MAX_MIB = 1024;
/** Percent of the last 10 s in which everything waited for memory: fewer are let in; half of it, and no more are. */
const PRESSURE = 10;
/** With room in so many looks in a row, one more is let in, and one more with each look after that. */
const CALM_LOOKS = 3;

/** What was seen, in MiB; absent: this kernel does not tell. */
export interface MemoryLook {
  availableMib: number | undefined;
  /** Percent, as above. */
  pressure: number | undefined;
  running: number;
  /** Each running child's own. */
  childrenMib: readonly number[];
}

/** The most that may run at once on this machine where nobody has said how many. */
export function mostAtOnce(cores = availableParallelism()): number {
  return Math.min(AUTO_MOST, PER_CORE * cores);
}

/** @param keptMib what must be left in any case, beyond which the machine counts as in distress */
export function reserveMib(keptMib: number, totalMib = memoryMib()): number {
  return Math.round(keptMib + Math.min(RESERVE_MAX_MIB, totalMib * RESERVE_PART));
}

function memoryMib(): number {
  return Math.min(totalmem() / MIB, groupMemory()?.limitMib ?? Number.POSITIVE_INFINITY);
}

/**
 * How many may run at once: as many as there is memory for, by what children cost here, and no more than `most`.
 *
 *   It falls at once, to what runs and what still has room beside it; under pressure, to one less than what runs. What
 *   runs is not ended for it. It rises by one with each look, when there was room for more and no pressure in the last
 *   ones, so that one that has just begun and does not show its cost yet is not taken for room. It is never below 1.
 */
export class Sizing {
  size: number;
  /** In words, what decided; for people. */
  why = '';
  private childMib: number | undefined;
  private calm = 0;

  constructor(
    readonly most: number,
    private readonly reserve: number,
    first: MemoryLook,
  ) {
    this.size = most;
    this.size = this.wanted(first);
    this.explain(first);
  }

  /** What one more is taken to cost, in MiB. */
  get costMib(): number {
    return Math.round(this.childMib === undefined ? CHILD_MIB : this.childMib + BESIDE_MIB);
  }

  get isMeasured(): boolean {
    return this.childMib !== undefined;
  }

  look(seen: MemoryLook): number {
    this.measure(seen.childrenMib);
    const wanted = this.wanted(seen);
    const isStrained = (seen.pressure ?? 0) > PRESSURE / 2;
    if (wanted <= this.size || isStrained) {
      this.calm = 0;
      this.size = Math.min(this.size, wanted);
    } else if (++this.calm >= CALM_LOOKS) {
      this.size++;
    }
    this.explain(seen);
    return this.size;
  }

  private wanted({ availableMib, pressure, running }: MemoryLook): number {
    let wanted = this.most;
    if (availableMib !== undefined)
      wanted = Math.min(wanted, running + Math.floor((availableMib - this.reserve) / this.costMib));
    if ((pressure ?? 0) > PRESSURE) wanted = Math.min(wanted, running - 1);
    return Math.max(1, wanted);
  }

  /** It rises at once and falls slowly: large ones may come again. */
  private measure(childrenMib: readonly number[]): void {
    if (childrenMib.length === 0) return;
    const mean = childrenMib.reduce((sum, mib) => sum + mib, 0) / childrenMib.length;
    const known = this.childMib ?? mean;
    this.childMib = mean > known ? mean : known + (mean - known) / 8;
  }

  private explain({ availableMib, pressure }: MemoryLook): void {
    const cost = `one more ${this.isMeasured ? 'costs' : 'is taken to cost'} ${this.costMib} MiB`;
    if (availableMib === undefined) this.why = 'this kernel does not tell how much memory is available';
    else if ((pressure ?? 0) > PRESSURE / 2)
      this.why = `everything waits for memory ${pressure} % of the time`;
    else if (this.size < this.most)
      this.why = `${availableMib} MiB are available, ${this.reserve} are to stay free, ${cost}`;
    else this.why = `${PER_CORE} a processor; there is memory for more, ${cost}`;
  }
}
