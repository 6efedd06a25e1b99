/**
 * One bpftrace, as those see it who wait for it and end it: what can be known of it, and how it is signalled. It is
 * a child of ours (own-child.ts), or a grandchild behind sudo and a supervisor (supervised-child.ts).
 *
 * What is asked about is the bpftrace itself, at the end of a chain of wrappers. Every answer may be "could not
 * tell" (`undefined`).
 */
export interface BpftraceHandle {
  /** It sleeps in epoll_wait, where bpftrace goes only when everything is attached. */
  waitsForEvents(): boolean | undefined;
  /** One of its threads sleeps in a write. */
  blockedInWrite(): boolean | undefined;
  /** One of its threads runs, wants to run, or is held by the kernel in a wait that no signal ends. */
  isHeldUp(): boolean | undefined;
  /** It has been stopped by a signal, is being killed, or is gone. */
  isOutOfAction(): boolean | undefined;
  /** Every attached probe is one or two of them. */
  openFiles(): number | undefined;
  /** CPU time used so far. */
  cpuTicks(): number | undefined;
  /** SIGUSR1 is handled; whoever does not is killed by it. */
  catchesSnapshotSignal(): boolean | undefined;
  /** How fresh the answers have to be from here on, in ms; 0: nobody asks. */
  watch(everyMs: number): void;
  /** To every process of its group. */
  signalGroup(name: GroupSignal): void;
  /** To bpftrace alone, and not to a wrapper in front of it. */
  signalLeaf(name: 'SIGTERM' | 'SIGUSR1'): void;
  /**
   * After it has exited: ends whatever it left behind in its group and waits until it is gone. False if something
   * still is there after `boundMs`.
   */
  clear(boundMs: number): Promise<boolean>;
}

export type GroupSignal = 'SIGINT' | 'SIGTERM' | 'SIGUSR1' | 'SIGKILL';
