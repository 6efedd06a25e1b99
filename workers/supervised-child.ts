import { constants } from 'node:os';
import type { SupervisorLook, SupervisorTalk } from '../src/contract/supervisor.js';
import type { BpftraceHandle, GroupSignal } from './handle.js';
import { isEventWait } from './procfs.js';

/**
 * A bpftrace behind sudo: the kernel lets us neither signal it nor look at it, so the supervisor does both. What it
 * has seen last is the answer.
 */
export class SupervisedChild implements BpftraceHandle {
  private last: SupervisorLook | undefined;

  constructor(private readonly talk: SupervisorTalk) {}

  /** The supervisor has reported what it sees. */
  saw(look: SupervisorLook): void {
    this.last = look;
  }

  /** The main thread's call alone tells. "No" before anything was seen: the supervisor will say. */
  waitsForEvents(): boolean {
    return isEventWait(this.last?.syscalls[0] ?? '');
  }

  /** The supervisor sees to that itself, when it sends a signal: what it last reported would be too old. */
  blockedInWrite(): undefined {}

  isHeldUp(): boolean | undefined {
    return this.last && /[RD]/.test(this.last.states);
  }

  /** The supervisor tells that bpftrace has ended; nobody but root can stop it. */
  isOutOfAction(): undefined {}

  openFiles(): number | undefined {
    return this.last?.openFiles;
  }

  cpuTicks(): number | undefined {
    return this.last?.cpuTicks;
  }

  catchesSnapshotSignal(): boolean | undefined {
    return this.last && ((this.last.caught >> BigInt(constants.signals.SIGUSR1 - 1)) & 1n) === 1n;
  }

  watch(everyMs: number): void {
    this.talk.watch(everyMs);
  }

  signalGroup(name: GroupSignal): void {
    this.forgetWaiting();
    this.talk.signal(SHORT[name]);
  }

  signalLeaf(name: 'SIGTERM' | 'SIGUSR1'): void {
    this.forgetWaiting();
    this.talk.signal(SHORT[name], 'leaf');
  }

  /** That it waited before the signal says nothing about afterwards; the next look comes when the signal is out. */
  private forgetWaiting(): void {
    if (this.last) this.last = { ...this.last, syscalls: [] };
  }

  /** The supervisor leaves when nothing of the group is left. */
  async clear(): Promise<boolean> {
    return true;
  }
}

const SHORT = { SIGINT: 'INT', SIGTERM: 'TERM', SIGUSR1: 'USR1', SIGKILL: 'KILL' } as const;
