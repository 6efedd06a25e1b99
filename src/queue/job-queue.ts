/** Something that takes a slot until its promise settles, either way; a rejection is the job's own business. */
export interface Job {
  run(): Promise<void>;
}

/**
 * First come, first served, in a bounded number of slots and with a bounded number waiting. It knows nothing
 * of programs or workers.
 */
export class JobQueue {
  private readonly waiting: Job[] = [];
  private readonly active = new Set<Job>();

  constructor(
    readonly slots: number,
    readonly limit: number,
  ) {}

  /** Jobs that wait for a slot. */
  get length(): number {
    return this.waiting.length;
  }

  get running(): number {
    return this.active.size;
  }

  /** Whether {@link offer} would take a job now. */
  get hasRoom(): boolean {
    return this.active.size < this.slots || this.waiting.length < this.limit;
  }

  /** False when as many wait as may: the job was not taken. A job that finds a free slot starts before this returns. */
  offer(job: Job): boolean {
    if (!this.hasRoom) return false;
    this.waiting.push(job);
    this.fill();
    return true;
  }

  /** 1 is next; 0 when it does not wait (any more). */
  position(job: Job): number {
    return this.waiting.indexOf(job) + 1;
  }

  /** True if the job still waited, and now never runs. */
  cancel(job: Job): boolean {
    const at = this.waiting.indexOf(job);
    if (at < 0) return false;
    this.waiting.splice(at, 1);
    return true;
  }

  private fill(): void {
    while (this.active.size < this.slots) {
      const job = this.waiting.shift();
      if (!job) return;
      this.active.add(job);
      const settled = (): void => {
        this.active.delete(job);
        this.fill();
      };
      void job.run().then(settled, settled);
    }
  }
}
