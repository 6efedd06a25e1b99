import { createEngine, type TraceEngine } from '../src/engine/index.js';
import { BPFTRACE, MAIN } from '../test/support/server.js';
import type { Bench, BenchContext } from './bench.js';
import { absolute } from './figure.js';
import { startFlood } from './flooding.js';
import { LightClient } from './read/light-client.js';
import { poll } from './read/poll.js';
import { exponentOf, significant } from './statistics.js';

/** Four loads, each twice the one before. */
const doubled = (first: number): number[] => [1, 2, 4, 8].map(times => first * times);
const TIMES = 100;
const QUEUE_TIMES = 4;
const BOUND = { boundMs: 60_000 };
/** In proportion, and what caches and the clock add to that. */
const WANTED = { atMost: 1.2 };
const GUARD = { atMost: 1.6 };

/** How each cost grows with its load: the k of cost = c · load^k. 1 is in proportion, 0 not at all. */
export const growth: Bench = {
  name: 'growth',
  about: 'how costs grow over three doublings of what they depend on; the exponent that fits best',
  guarded: true,
  async run(context) {
    const engine = createEngine({
      bpftrace: BPFTRACE,
      concurrency: 2,
      queueLimit: 2000,
    });
    try {
      await linesRead(context, engine);
      await mapEntries(context, engine);
      await executionsHeld(context, engine);
      await programsQueued(context, engine);
      programSize(context, engine);
    } finally {
      await engine.close({ hurry: true });
    }
    await pollers(context);
  },
};

type Point = { load: number; cost: number };

function tell({ figure, say }: BenchContext, name: string, points: readonly Point[]): void {
  const shown = points.map(({ load, cost }) => `${load}: ${significant(cost)}`).join(', ');
  const exponent = exponentOf(points);
  figure(
    absolute({
      name,
      unit: 'exponent',
      ours: { name, samples: [exponent] },
      wanted: WANTED,
      guard: GUARD,
    }),
  );
  say(`    ms at ${shown}`);
}

/** Processor time, since a busy machine makes everything else longer; what runs once first is compiled by then. */
function costMs(work: () => unknown, times = TIMES): number {
  for (let i = 0; i < times / 4; i++) work();
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / times;
}

async function finished(engine: TraceEngine, client: string, program: string): Promise<string> {
  const me = engine.as(client);
  const id = me.submit({ program });
  await me.untilEnded(id, BOUND);
  const { status, error_message } = me.result(id, { limit: 0, mapEntries: 0 });
  if (status !== 'completed') throw new Error(`${status}: ${error_message}`);
  return id;
}

async function linesRead(context: BenchContext, engine: TraceEngine): Promise<void> {
  const me = engine.as('lines');
  const id = await finished(
    engine,
    'lines',
    'interval:ms:1 { $i = 0; while ($i < 50) { @n++; printf("line %d of many that come one after another\\n", @n); $i++; } if (@n >= 1000) { exit(); } }',
  );
  const points = doubled(125).map(load => {
    const read = () => me.result(id, { offset: 0, limit: load });
    if (read().lines_returned !== load) throw new Error(`not ${load} lines`);
    return { load, cost: costMs(read) };
  });
  tell(context, 'lines read', points);
}

async function mapEntries(context: BenchContext, engine: TraceEngine): Promise<void> {
  const me = engine.as('maps');
  const points: Point[] = [];
  for (const load of doubled(500)) {
    const fill = `interval:ms:1 { $i = 0; while ($i < 50) { @entries[@n] = @n; @n++; $i++; } if (@n >= ${load}) { exit(); } }`;
    const id = await finished(engine, 'maps', fill);
    const read = () => me.result(id, { limit: 0 });
    const entries = read().maps.find(({ name }) => name === '@entries')?.entries?.length ?? 0;
    if (entries < load) throw new Error(`${entries} entries, not ${load}`);
    points.push({ load: entries, cost: costMs(read) });
  }
  tell(context, 'map entries', points);
}

async function executionsHeld(context: BenchContext, engine: TraceEngine): Promise<void> {
  const me = engine.as('held');
  const points: Point[] = [];
  let held = 0;
  for (const load of doubled(20)) {
    for (; held < load; held++) await finished(engine, 'held', `BEGIN { printf("${held}\\n"); exit(); }`);
    if (me.list().length !== load) throw new Error(`${me.list().length} held, not ${load}`);
    points.push({ load, cost: costMs(() => me.list()) });
  }
  tell(context, 'executions held, all listed', points);
}

/** Behind programs that run all the time; what is queued never starts. */
async function programsQueued(context: BenchContext, engine: TraceEngine): Promise<void> {
  const blocker = engine.as('blocker');
  const running = [0, 1].map(n =>
    blocker.submit({ program: `interval:s:1 { @blocks = ${n}; }`, deadlineMs: 60_000 }),
  );
  await Promise.all(running.map(id => blocker.untilSettled(id, BOUND)));
  const points = doubled(64).map((load, round) => {
    const me = engine.as(`queued ${round}`);
    const cost = costMs(() => {
      const ids = Array.from({ length: load }, (_, n) =>
        me.submit({ program: `BEGIN { @q = ${n}; exit(); }` }),
      );
      if (me.result(ids.at(-1) ?? '').status !== 'queued') throw new Error('the last one is not queued');
      for (const id of ids) me.stop(id);
    }, QUEUE_TIMES);
    return { load, cost };
  });
  for (const id of running) blocker.stop(id);
  await Promise.all(running.map(id => blocker.untilEnded(id, BOUND)));
  tell(context, 'programs queued and taken back', points);
}

/** From the request to the queue: the text is read, and judged by the policy. */
function programSize(context: BenchContext, engine: TraceEngine): void {
  const me = engine.as('size');
  const points = doubled(100).map(load => {
    const statements = Array.from({ length: load }, (_, n) => `@a${n % 10}[comm, ${n}] = count();`).join(' ');
    const program = `interval:s:100 { ${statements} }`;
    let id = '';
    const cost = costMs(() => {
      id = me.submit({ program });
      me.stop(id);
    });
    return { load: program.length, cost };
  });
  tell(context, 'size of a program handed in, bytes', points);
}

/** Of a server in its own process: what its main thread uses in a second of a flood. */
async function pollers(context: BenchContext): Promise<void> {
  const points: Point[] = [];
  for (const load of doubled(8)) {
    const client = await LightClient.start([MAIN, '--bpftrace', BPFTRACE, '--log-level', 'silent']);
    const flood = startFlood();
    try {
      const reply = await client.call('exec_program', { program: flood.program, timeout: 60 });
      const id = /"execution_id":"(\w+)"/.exec(reply.toString('latin1'))?.[1];
      const { values } = await poll(client, load, { execution_id: id, offset: 0, limit: 100 });
      points.push({ load, cost: (values.cpu ?? Number.NaN) * (values.perSecond ?? Number.NaN) });
    } finally {
      flood.stop();
      await client.close();
    }
  }
  tell(context, 'pollers in a flood, processor time of the main thread', points);
}
