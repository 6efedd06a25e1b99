import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BpftraceHandle, GroupSignal } from './handle.js';
import {
  blockedInWrite,
  catchesSignal,
  cpuTicks,
  isHeldUp,
  isOutOfAction,
  leafProcess,
  onlyZombies,
  openFiles,
  waitsForEvents,
} from './procfs.js';

/** A wrapper becomes or starts bpftrace within its first moments; looking for that every time would double the reads. */
const LEAF_FRESH_MS = 8;

/** A bpftrace that is a child of ours, or below one: /proc and kill(2) do it all. */
export class OwnChild implements BpftraceHandle {
  private leaf: number;
  private leafFoundAt = 0;

  /** @param pid of the child, which leads a process group of its own */
  constructor(private readonly pid: number) {
    this.leaf = pid;
  }

  waitsForEvents(): boolean | undefined {
    return waitsForEvents(this.currentLeaf());
  }

  blockedInWrite(): boolean | undefined {
    return blockedInWrite(this.currentLeaf());
  }

  isHeldUp(): boolean | undefined {
    return isHeldUp(this.currentLeaf());
  }

  isOutOfAction(): boolean {
    return isOutOfAction(this.currentLeaf());
  }

  openFiles(): number | undefined {
    return openFiles(this.currentLeaf());
  }

  cpuTicks(): number | undefined {
    return cpuTicks(this.currentLeaf());
  }

  catchesSnapshotSignal(): boolean | undefined {
    return catchesSignal(this.currentLeaf(), constants.signals.SIGUSR1);
  }

  watch(): void {} // Every answer is fresh.

  signalGroup(name: GroupSignal): void {
    signal(-this.pid, name);
  }

  signalLeaf(name: 'SIGTERM' | 'SIGUSR1'): void {
    signal(this.currentLeaf(), name);
  }

  async clear(boundMs: number): Promise<boolean> {
    const begun = performance.now();
    while (signal(-this.pid, 'SIGKILL')) {
      if (onlyZombies(this.pid) === true) return true;
      if (performance.now() - begun > boundMs) return false;
      await sleep(10);
    }
    return true;
  }

  private currentLeaf(): number {
    const now = performance.now();
    if (now - this.leafFoundAt > LEAF_FRESH_MS) {
      this.leaf = leafProcess(this.pid);
      this.leafFoundAt = now;
    }
    return this.leaf;
  }
}

/** False when nobody is left to take it. A signal that may not be sent (EPERM) counts as "something is left". */
function signal(target: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(target, name);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
