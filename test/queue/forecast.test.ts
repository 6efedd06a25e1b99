import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as breathe } from 'node:timers/promises';
import { FairQueue } from '../../src/queue/fair-queue.js';
import { seeded } from '../support/random.js';
import { TestJob, ticketOf } from './test-job.js';

describe('forecast', () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`where jobs take as long as expected and nobody comes, it comes true (seed ${seed})`, async () => {
      const random = seeded(seed);
      const slots = 1 + random.below(4);
      const queue = new FairQueue<TestJob>(slots, 1000);
      // All different, so that no two slots become free at once.
      const jobs = Array.from({ length: 60 }, (_, n) => new TestJob(n, 1000 + random.next()));
      for (const job of jobs) {
        const client = `client ${random.below(6)}`;
        queue.offer(ticketOf(job, client, { priority: random.below(2), runningMax: 1 + random.below(3) }));
        if (random.below(5) === 0) queue.offer(ticketOf(job, `client ${random.below(6)}`));
      }
      const endsAt = new Map<TestJob, number>();
      const startedAt = new Map<TestJob, number>();
      const order: TestJob[] = [];
      let nowMs = 0;
      const note = (): void => {
        for (const job of jobs) {
          if (!job.started || startedAt.has(job)) continue;
          startedAt.set(job, nowMs);
          endsAt.set(job, nowMs + job.lengthMs);
          order.push(job);
        }
      };
      note();
      const before = order.length;
      const forecast = queue.forecast({
        leftMs: job => job.lengthMs,
        expectedMs: job => job.lengthMs,
      });
      while (endsAt.size > 0) {
        const [next] = [...endsAt].sort(([, a], [, b]) => a - b);
        if (!next) break;
        nowMs = next[1];
        endsAt.delete(next[0]);
        next[0].done.resolve();
        await breathe();
        note();
      }
      assert.equal(forecast.size, jobs.length - before);
      for (const [job, { startsInMs }] of forecast)
        assert.ok(Math.abs((startedAt.get(job) ?? -1) - startsInMs) < 1e-6, `job ${job.name}`);
      const positions = order.slice(before).map(job => forecast.get(job)?.position ?? 0);
      assert.deepEqual(
        positions,
        [...positions].sort((a, b) => a - b),
      );
    });
  }
});
