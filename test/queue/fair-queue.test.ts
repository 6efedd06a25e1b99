import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as breathe } from 'node:timers/promises';
import { FairQueue } from '../../src/queue/fair-queue.js';
import type { Ticket } from '../../src/queue/line.js';
import { seeded } from '../support/random.js';
import { TestJob, ticketOf } from './test-job.js';

const EQUAL = { leftMs: () => 1000, expectedMs: () => 1000 };

/** Ends one job after another in one slot, and gives their names in the order in which they ran. */
async function drained(queue: FairQueue<TestJob>, jobs: readonly TestJob[]): Promise<number[]> {
  const order: number[] = [];
  const left = new Set(jobs);
  while (queue.running > 0) {
    const running = [...left].find(({ started }) => started);
    assert.ok(running);
    left.delete(running);
    order.push(running.name);
    running.done.resolve();
    await breathe();
  }
  return order;
}

describe('fair queue', () => {
  test('starts at once while slots are free, then queues, then refuses', () => {
    const queue = new FairQueue<TestJob>(2, 1);
    const [first, second, third, fourth] = [1, 2, 3, 4].map(name => new TestJob(name)) as [
      TestJob,
      TestJob,
      TestJob,
      TestJob,
    ];
    assert.equal(queue.offer(ticketOf(first)), true);
    assert.equal(first.started, true);
    assert.equal(queue.offer(ticketOf(second)), true);
    assert.equal(queue.offer(ticketOf(third)), true);
    assert.equal(third.started, false);
    assert.deepEqual([...queue.forecast(EQUAL)], [[third, { position: 1, startsInMs: 1000 }]]);
    assert.equal(queue.offer(ticketOf(fourth)), false);
    assert.equal(fourth.started, false);
    assert.deepEqual([queue.running, queue.length], [2, 1]);
  });

  test('a client that has nothing in its line is never kept out by others', () => {
    const queue = new FairQueue<TestJob>(1, 2);
    for (const name of [1, 2, 3]) assert.equal(queue.offer(ticketOf(new TestJob(name), 'greedy')), true);
    assert.equal(queue.offer(ticketOf(new TestJob(4), 'greedy')), false);
    assert.equal(queue.offer(ticketOf(new TestJob(5), 'modest')), true);
    assert.equal(queue.offer(ticketOf(new TestJob(6), 'modest')), false);
  });

  test('a limit of 0 lets nothing wait, and still fills the slots', () => {
    const queue = new FairQueue<TestJob>(1, 0);
    assert.equal(queue.offer(ticketOf(new TestJob(1))), true);
    assert.equal(queue.offer(ticketOf(new TestJob(2))), false);
    assert.equal(queue.offer(ticketOf(new TestJob(3), 'other')), false);
  });

  test('a job that fails gives its slot back', async () => {
    const queue = new FairQueue(1, 1);
    const next = new TestJob(2);
    queue.offer({ ...ticketOf(next), job: { run: () => Promise.reject(new Error('on purpose')) } });
    queue.offer(ticketOf(next));
    await breathe();
    assert.equal(next.started, true);
  });

  test("one slot: another client's first comes after one of the 500 that wait already", async () => {
    const queue = new FairQueue<TestJob>(1, 1000);
    const greedy = Array.from({ length: 500 }, (_, name) => new TestJob(name));
    for (const job of greedy) queue.offer(ticketOf(job, 'greedy'));
    const modest = [1000, 1001, 1002].map(name => new TestJob(name));
    for (const job of modest) queue.offer(ticketOf(job, 'modest'));
    const order = await drained(queue, [...modest, ...greedy]);
    assert.deepEqual(order.slice(0, 7), [0, 1, 1000, 2, 1001, 3, 1002]);
    assert.equal(order.length, 503);
  });

  test('slots that are held count: who holds fewer is served, though its turn is newer', async () => {
    const queue = new FairQueue<TestJob>(4, 100);
    const long = Array.from({ length: 6 }, (_, name) => new TestJob(name));
    for (const job of long) queue.offer(ticketOf(job, 'long'));
    const short = [10, 11, 12].map(name => new TestJob(name));
    for (const job of short) queue.offer(ticketOf(job, 'short'));
    for (const job of long.slice(0, 3)) {
      job.done.resolve();
      await breathe();
    }
    assert.deepEqual(
      [...long, ...short].filter(({ started }) => started).map(({ name }) => name),
      [0, 1, 2, 3, 4, 10, 11],
      'two for each',
    );
    assert.deepEqual([queue.holds('long'), queue.holds('short')], [2, 2]);
  });

  test('within a client the higher priority is first, and equal ones in the order they came', async () => {
    const queue = new FairQueue<TestJob>(1, 100);
    const jobs = [0, 1, 5, 1, 0, 9].map((priority, name) => ({ job: new TestJob(name), priority }));
    for (const { job, priority } of jobs) queue.offer(ticketOf(job, 'me', { priority }));
    assert.deepEqual(
      await drained(
        queue,
        jobs.map(({ job }) => job),
      ),
      [0, 5, 2, 1, 3, 4],
    );
  });

  test('a client at its bound lets others go ahead, and is served when it holds less', async () => {
    const queue = new FairQueue<TestJob>(3, 100);
    const [a, b, c, d] = [1, 2, 3, 4].map(name => new TestJob(name)) as [TestJob, TestJob, TestJob, TestJob];
    for (const job of [a, b, c]) queue.offer(ticketOf(job, 'me', { runningMax: 2 }));
    queue.offer(ticketOf(d, 'you'));
    assert.deepEqual(
      [a, b, c, d].map(({ started }) => started),
      [true, true, false, true],
    );
    a.done.resolve();
    await breathe();
    assert.equal(c.started, true);
  });

  test('a shared job starts for all at the first turn, and its slot is held until the last has left', async () => {
    const queue = new FairQueue<TestJob>(1, 100);
    const [running, other, shared] = [1, 2, 3].map(name => new TestJob(name)) as [TestJob, TestJob, TestJob];
    queue.offer(ticketOf(running, 'a'));
    queue.offer(ticketOf(other, 'a'));
    const mine = ticketOf(shared, 'a');
    const yours = ticketOf(shared, 'b');
    queue.offer(mine);
    queue.offer(yours);
    assert.equal(queue.length, 3);
    running.done.resolve();
    await breathe();
    assert.deepEqual([shared.started, other.started, queue.length], [false, true, 2]);
    assert.equal(queue.leave(mine), false, 'the other one still waits for it');
    other.done.resolve();
    await breathe();
    assert.equal(shared.started, true);
    assert.equal(queue.offer(mine), true, 'it can be joined while it runs');
    assert.deepEqual([queue.holds('a'), queue.holds('b'), queue.running], [1, 1, 1]);
    assert.equal(queue.leave(yours), false);
    assert.equal(queue.leave(mine), false);
    assert.equal(queue.running, 1, 'until it has ended');
    shared.done.resolve();
    await breathe();
    assert.deepEqual([queue.running, queue.clients], [0, 0]);
  });

  test('with fewer slots what runs runs on; with more, what waits starts at once', async () => {
    const queue = new FairQueue<TestJob>(3, 100);
    const jobs = [0, 1, 2, 3, 4].map(name => new TestJob(name));
    for (const job of jobs) queue.offer(ticketOf(job));
    queue.slots = 1;
    jobs[0]?.done.resolve();
    jobs[1]?.done.resolve();
    await breathe();
    assert.deepEqual([queue.running, queue.length], [1, 2]);
    queue.slots = 4;
    assert.deepEqual([queue.running, queue.length], [3, 0]);
  });

  for (const seed of [1, 2, 3, 4, 5, 6]) {
    test(`nobody starves through 2,000 random steps (seed ${seed})`, async () => {
      await hostile(seed);
    });
  }
});

/** What each client has seen of each other since it has waited for its next start without holding anything. */
type Overtaken = Map<string, Map<string, number>>;

/**
 * Offers, joins, leaves, ends and resizes at random, and after each step: no slot is empty while somebody may be
 * served, none is used twice, within a client the order holds, and no client that holds nothing has been overtaken
 * by any other more than once.
 */
async function hostile(seed: number): Promise<void> {
  const random = seeded(seed);
  const limit = 1 + random.below(60);
  let slots = 1 + random.below(5);
  const queue = new FairQueue<TestJob>(slots, limit);
  const clients = Array.from({ length: 2 + random.below(8) }, (_, n) => ({
    name: `client ${n}`,
    runningMax: random.below(3) === 0 ? 1 + random.below(2) : Number.POSITIVE_INFINITY,
  }));
  const waiting: Ticket<TestJob>[] = [];
  const running: Ticket<TestJob>[] = [];
  const overtaken: Overtaken = new Map();
  const holds = (client: string): number => running.filter(ticket => ticket.client === client).length;
  const arrivals = new Map<Ticket<TestJob>, number>();
  let came = 0;

  /** Takes note of what has started, in the order in which it did. */
  const note = (): void => {
    const started = waiting.filter(({ job }) => job.started);
    // What is started for several costs those who are taken along no turn.
    const alone = started.filter(one => !started.some(other => other.job === one.job && other !== one));
    for (const ticket of alone) {
      const ahead = waiting.filter(other => other.client === ticket.client && !other.job.started);
      for (const other of ahead) {
        assert.ok(
          other.priority < ticket.priority ||
            (other.priority === ticket.priority && (arrivals.get(other) ?? 0) > (arrivals.get(ticket) ?? 0)),
          `${ticket.job.name} of ${ticket.client} was served before ${other.job.name}`,
        );
      }
    }
    for (const ticket of started) {
      waiting.splice(waiting.indexOf(ticket), 1);
      running.push(ticket);
    }
    for (const { client } of started) overtaken.delete(client);
    for (const { client } of alone) {
      for (const [other, counts] of overtaken) {
        if (other === client || started.some(one => one.client === other)) continue;
        counts.set(client, (counts.get(client) ?? 0) + 1);
      }
    }
    for (const { name } of clients) {
      const isIdle = waiting.some(({ client }) => client === name) && holds(name) === 0;
      if (!isIdle) overtaken.delete(name);
      else if (!overtaken.has(name)) overtaken.set(name, new Map());
      for (const [other, times] of overtaken.get(name) ?? [])
        assert.ok(times <= 1, `${name} was overtaken ${times} times by ${other}`);
    }
  };

  for (let step = 0; step < 2000; step++) {
    const dice = random.below(20);
    const client = clients[random.below(clients.length)];
    if (!client) continue;
    if (dice < 9) {
      const ticket = ticketOf(new TestJob(came++), client.name, {
        priority: random.below(3),
        runningMax: client.runningMax,
      });
      const own = waiting.filter(other => other.client === client.name).length;
      const isFree = new Set(running.map(({ job }) => job)).size < slots;
      const startsAtOnce = isFree && own === 0 && holds(client.name) < client.runningMax;
      arrivals.set(ticket, arrivals.size);
      assert.equal(queue.offer(ticket), startsAtOnce || waiting.length < limit || own === 0);
      if (startsAtOnce || waiting.length < limit || own === 0) waiting.push(ticket);
    } else if (dice < 11) {
      const known = [...waiting, ...running][random.below(waiting.length + running.length)];
      if (known && waiting.length < limit) {
        const ticket = ticketOf(known.job, client.name, { runningMax: client.runningMax });
        arrivals.set(ticket, arrivals.size);
        assert.equal(queue.offer(ticket), true);
        if (known.job.started && !waiting.includes(known)) running.push(ticket);
        else waiting.push(ticket);
      }
    } else if (dice < 16) {
      const job = running[random.below(running.length)]?.job;
      if (job) {
        job.done.resolve();
        for (const ticket of running.filter(one => one.job === job))
          running.splice(running.indexOf(ticket), 1);
        await breathe();
      }
    } else if (dice < 19) {
      const all = [...waiting, ...running];
      const ticket = all[random.below(all.length)];
      if (ticket) {
        const isWaiting = waiting.includes(ticket);
        const isLast = all.filter(({ job }) => job === ticket.job).length === 1;
        // A job that runs for nobody is ended by who asked for it: here it stays with its last ticket.
        if (isWaiting || !isLast) {
          assert.equal(queue.leave(ticket), isWaiting && isLast);
          assert.equal(queue.leave(ticket), false, 'a ticket is given back once');
          const from = isWaiting ? waiting : running;
          from.splice(from.indexOf(ticket), 1);
        }
      }
    } else {
      slots = 1 + random.below(5);
      queue.slots = slots;
    }
    note();
    const held = new Set(running.map(({ job }) => job)).size;
    assert.equal(queue.running, held);
    assert.equal(queue.length, waiting.length);
    const servable = waiting.some(({ client: name, runningMax }) => holds(name) < runningMax);
    assert.ok(held >= slots || !servable, `${held} of ${slots} slots, and somebody may be served`);
    assert.equal(new Set(waiting.map(({ job }) => job)).size, queue.forecast(EQUAL).size);
  }
  while (running.length > 0) {
    const job = running[0]?.job;
    job?.done.resolve();
    for (const ticket of running.filter(one => one.job === job)) running.splice(running.indexOf(ticket), 1);
    await breathe();
    note();
  }
  assert.deepEqual([queue.running, queue.length, queue.clients], [0, 0, 0]);
}
