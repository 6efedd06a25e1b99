/** Why the worker began to end a child. */
export type Ending = 'deadline' | 'stop' | 'start_timeout' | 'flood';

/** How a child ended, as the kernel tells it. */
export interface ChildEnd {
  exitCode: number | null;
  signal: string | null;
  /** SIGKILL was needed: maps that had not been printed are lost. */
  killed: boolean;
  /** Processes of the group were still there when the worker gave up on them; the kernel is tearing them down. */
  leftBehind: boolean;
}
