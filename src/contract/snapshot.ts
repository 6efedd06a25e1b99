/** How a running bpftrace is made to print its maps, so that they can be read before it ends. */
export interface SnapshotMethod {
  /**
   * Stands behind the program, on a line of its own: a probe that prints the maps when bpftrace gets SIGUSR1.
   * Absent where SIGUSR1 alone makes bpftrace print them all.
   */
  addition?: {
    text: string;
    /** What it prints before and behind the maps, lines of equal length: no output of the program's. */
    begin: string;
    end: string;
  };
  /** Maps that the program may fill. An empty one is not printed. */
  maps: number;
  /** It prints maps itself: not every map that comes after the signal is an answer to it. */
  printsMaps: boolean;
}

/** How a worker answered what was asked of it last. */
export const SnapshotAnswer = {
  none: 0,
  /** Every map that is not empty is there. */
  whole: 1,
  /** Events were lost meanwhile, and with them perhaps some of the maps. */
  partial: 2,
  /** bpftrace did not print them in time: it is busy with what the program prints. */
  tooBusy: 3,
  /** The signal can't be sent: bpftrace belongs to another user, or does not catch it. */
  noSignal: 4,
  /** It is ending, and prints its maps anyway. */
  ending: 5,
  /** It is a recording, in which no further one was asked for. */
  notRecorded: 6,
} as const;
export type SnapshotAnswer = (typeof SnapshotAnswer)[keyof typeof SnapshotAnswer];
