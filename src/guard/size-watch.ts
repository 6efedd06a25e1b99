import { availableMib } from './available.js';
import { ownMib } from './child-memory.js';
import type { HostGuard } from './host-guard.js';
import { type MemoryLook, reserveMib, Sizing } from './sizing.js';

const LOOK_EVERY_MS = 2000;

/** What bpf_info tells of it. */
export interface SizeState {
  mode: 'auto' | 'fixed';
  now: number;
  most: number;
  why: string;
}

interface SizeParts {
  /** Found out; otherwise it is as the operator has said. */
  isAuto: boolean;
  most: number;
  guard: HostGuard;
  queue: { slots: number; readonly running: number };
  /** Of the children that are attached. */
  pids: () => number[];
  over: AbortSignal;
}

/** How many may run at once, and why: as many as the operator said, or as the machine bears now. */
export class SizeWatch {
  private readonly sizing: Sizing | undefined;

  constructor(private readonly parts: SizeParts) {
    const { isAuto, most, guard, over } = parts;
    if (!isAuto) return;
    this.sizing = new Sizing(most, reserveMib(guard.limits.available ?? 0), this.look());
    parts.queue.slots = this.sizing.size;
    const timer = setInterval(() => this.resize(), LOOK_EVERY_MS);
    timer.unref();
    over.addEventListener('abort', () => clearInterval(timer));
  }

  get state(): SizeState {
    const { most } = this.parts;
    if (!this.sizing) return { mode: 'fixed', now: most, most, why: 'as the operator has set it' };
    const { size, why } = this.sizing;
    return { mode: 'auto', now: size, most, why };
  }

  private resize(): void {
    const size = this.sizing?.look(this.look());
    if (size !== undefined && size !== this.parts.queue.slots) this.parts.queue.slots = size;
  }

  private look(): MemoryLook {
    const { guard, pids, queue } = this.parts;
    return {
      availableMib: availableMib(guard),
      pressure: guard.readings().memory,
      running: queue.running,
      childrenMib: pids().map(ownMib),
    };
  }
}
