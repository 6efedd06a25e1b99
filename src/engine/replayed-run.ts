import type { SnapshotPlan } from '../bpftrace/snapshot-plan.js';
import type { ReplayTask } from '../contract/recording.js';
import type { ReplayChoice } from '../recording/replay.js';
import type { TraceFile } from '../recording/trace-file.js';
import type { RunOptions } from './run.js';

/**
 * What a run needs of its recording. Which one it is, is decided when the run begins: programs are replayed in the
 * order in which they begin, as they were recorded.
 */
export class Played {
  private file: TraceFile | undefined;

  constructor(
    private readonly choice: ReplayChoice,
    private readonly fast: boolean,
  ) {}

  /** As far as it differs from a run of a bpftrace. */
  get options(): Pick<RunOptions, 'program' | 'deadlineMs' | 'snapshots' | 'replayed'> & Partial<RunOptions> {
    const { program, deadlineMs, bounds, note } = this.choice;
    return {
      program,
      deadlineMs,
      ...bounds,
      snapshots: { plan: async () => this.begin(), retry: () => undefined, learn: () => {} },
      replayed: {
        note: isStopped => [note, isStopped && this.stopNote].filter(Boolean).join('; ') || undefined,
      },
    };
  }

  /** @throws Error before it has begun */
  get recording(): TraceFile {
    if (!this.file) throw new Error('it has not begun');
    return this.file;
  }

  get task(): ReplayTask {
    const { path, end, endedAtMs } = this.recording;
    return { path, end, endedAtMs, fast: this.fast };
  }

  private get stopNote(): string | undefined {
    const { ending } = this.file?.end ?? {};
    if (!this.file || ending === 'stop' || ending === 'flood') return undefined;
    const end = ending === 'deadline' ? 'its deadline' : 'its own end';
    return `the stop came before the end of the recording: this is all of it, up to ${end}`;
  }

  private begin(): SnapshotPlan {
    this.file = this.choice.next();
    // The plan that was made when it was recorded.
    return this.file.header.snapshots as SnapshotPlan;
  }
}
