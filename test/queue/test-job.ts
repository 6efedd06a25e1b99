import assert from 'node:assert/strict';
import { Deferred } from '../../src/deferred.js';
import type { Ticket } from '../../src/queue/line.js';

/** A job that ends when a test says so. */
export class TestJob {
  readonly done = new Deferred();
  started = false;

  /** @param lengthMs of its time in a slot, where a test plays time */
  constructor(
    readonly name: number,
    readonly lengthMs = 0,
  ) {}

  run(): Promise<void> {
    assert.equal(this.started, false, 'a job runs once');
    this.started = true;
    return this.done.promise;
  }
}

export function ticketOf(
  job: TestJob,
  client = 'me',
  { priority = 0, runningMax = Number.POSITIVE_INFINITY } = {},
): Ticket<TestJob> {
  return { job, client, priority, runningMax };
}
