import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as breathe } from 'node:timers/promises';
import { Deferred } from '../../src/deferred.js';
import { JobQueue } from '../../src/queue/job-queue.js';
import { seeded } from '../support/random.js';

class TestJob {
  readonly done = new Deferred();
  started = false;

  constructor(readonly name: number) {}

  run(): Promise<void> {
    assert.equal(this.started, false, 'a job runs once');
    this.started = true;
    return this.done.promise;
  }
}

describe('job queue', () => {
  test('starts at once while slots are free, then queues, then refuses', () => {
    const queue = new JobQueue(2, 1);
    const [first, second, third, fourth] = [1, 2, 3, 4].map(name => new TestJob(name));
    assert.ok(first && second && third && fourth);
    assert.equal(queue.offer(first), true);
    assert.equal(first.started, true);
    assert.equal(queue.offer(second), true);
    assert.equal(queue.offer(third), true);
    assert.equal(third.started, false);
    assert.equal(queue.position(third), 1);
    assert.equal(queue.position(first), 0);
    assert.equal(queue.offer(fourth), false);
    assert.equal(fourth.started, false);
    assert.deepEqual([queue.running, queue.length], [2, 1]);
  });

  test('a limit of 0 lets nothing wait, and still fills the slots', () => {
    const queue = new JobQueue(1, 0);
    assert.equal(queue.offer(new TestJob(1)), true);
    assert.equal(queue.offer(new TestJob(2)), false);
  });

  test('a job that fails gives its slot back', async () => {
    const queue = new JobQueue(1, 1);
    const next = new TestJob(2);
    queue.offer({ run: () => Promise.reject(new Error('on purpose')) });
    queue.offer(next);
    await breathe();
    assert.equal(next.started, true);
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    test(`agrees with a model through 2,000 random steps (seed ${seed})`, async () => {
      const random = seeded(seed);
      const slots = 1 + random.below(5);
      const limit = random.below(12);
      const queue = new JobQueue(slots, limit);
      const waiting: TestJob[] = [];
      const running = new Set<TestJob>();
      const pull = (): void => {
        while (running.size < slots && waiting.length > 0) {
          const job = waiting.shift();
          if (job) running.add(job);
        }
      };
      for (let step = 0; step < 2000; step++) {
        const dice = random.below(10);
        if (dice < 5) {
          const job = new TestJob(step);
          const room = running.size < slots || waiting.length < limit;
          assert.equal(queue.offer(job), room);
          if (room) waiting.push(job);
          pull();
        } else if (dice < 8) {
          const job = [...running][random.below(running.size)];
          if (job) {
            job.done.resolve();
            running.delete(job);
            pull();
            await breathe();
          }
        } else {
          const job = waiting[random.below(waiting.length)];
          if (job) {
            assert.equal(queue.cancel(job), true);
            waiting.splice(waiting.indexOf(job), 1);
          }
          for (const one of running) assert.equal(queue.cancel(one), false);
        }
        assert.equal(queue.length, waiting.length);
        assert.equal(queue.running, running.size);
        waiting.forEach((job, i) => {
          assert.equal(queue.position(job), i + 1);
          assert.equal(job.started, false);
        });
        for (const job of running) assert.equal(job.started, true);
      }
    });
  }
});
