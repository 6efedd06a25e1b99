import type { Bench, BenchContext } from './bench.js';
import { BenchClient } from './client.js';
import { absolute, type Bound, compare, type Figure } from './figure.js';
import { alternate, type Sample, samplesOf } from './pairs.js';
import { endLeftovers, marked } from './peer/leftovers.js';
import { RawBpftrace } from './raw.js';

const PAIRS = 15;
const PAIRS_OF_PEER = 7;
const PAIRS_OF_MANY = 5;
const MANY = 16;
const PROGRAM = 'tracepoint:sched:sched_switch { @[comm] = count(); }';
const LINE = 'the first line';
const PROGRAM_WITH_LINE = `BEGIN { printf("${LINE}\\n"); } ${PROGRAM}`;
/** A standby is started off the critical path: an agent's next program comes later than this. */
const BETWEEN_MS = 1000;

/** What is wanted of one client, by bpftrace's release: its own compiling is what is left of it. */
const WANTED: Record<string, Bound> = {
  '0.17': { atMost: 0.75 },
  '0.23': { atMost: 0.6 },
  '0.27': { atMost: 0.95 },
};

/**
 * From the request to the reply that says that everything is attached, seen by the SDK's client in another process;
 * beside `bpftrace -e` from its start until its main thread waits for events, which is when everything is attached.
 * MCPtrace's reply says nothing of attaching; it is what its users wait for.
 */
export const attach: Bench = {
  name: 'attach',
  about: `from asking to attached, and to the first line; ${PAIRS} pairs, ${BETWEEN_MS} ms between them`,
  guarded: true,
  async run(context) {
    const client = await BenchClient.ours(['--concurrency', String(MANY)]);
    const peer = context.guardOnly ? undefined : await BenchClient.peer();
    try {
      // The first program of a server also finds out what bpftrace this is.
      await ours(client);
      await one(context, client);
      if (peer) await besidePeer(context, client, peer);
      else context.say('  MCPtrace: not measured (npm run bench:peers installs it)');
      await firstLine(context, client);
      await many(context, client);
    } finally {
      await Promise.all([client.close(), peer?.close()]);
      endLeftovers();
    }
  },
};

async function one({ figure, pairs, release }: BenchContext, client: BenchClient) {
  const samples = await alternate(pairs(PAIRS), { ours: () => ours(client), raw: () => raw() });
  figure(pairOf('time to attached', samples.ours, samples.raw, WANTED[release]));
}

async function besidePeer({ figure, pairs }: BenchContext, client: BenchClient, peer: BenchClient) {
  const samples = await alternate(pairs(PAIRS_OF_PEER), {
    ours: () => ours(client),
    peer: () => asked(peer),
  });
  figure(
    compare({
      name: 'time to attached, and to the reply of MCPtrace',
      unit: 'ms',
      ours: { name: 'bpftrace-mcp', samples: samplesOf(samples.ours, 'ms') },
      rival: { name: 'MCPtrace', samples: samplesOf(samples.peer, 'ms') },
      wanted: { atMost: 0.15 },
    }),
  );
}

async function firstLine({ figure, pairs }: BenchContext, client: BenchClient) {
  const samples = await alternate(pairs(PAIRS), {
    ours: async () => {
      await pause();
      const begun = performance.now();
      let { execution_id, output } = await client.result('exec_program', { program: PROGRAM_WITH_LINE });
      while (output.length === 0)
        ({ output } = await client.result('get_result', { execution_id, offset: 0, wait: 20 }));
      const ms = performance.now() - begun;
      const { attached_probes: probes = -1, maps } = await client.result('stop_program', { execution_id });
      return {
        values: { ms },
        work: { line: output[0] ?? '', probes, maps: maps.map(map => map.name).join() },
      };
    },
    raw: async () => {
      await pause();
      const begun = performance.now();
      const run = new RawBpftrace(PROGRAM_WITH_LINE);
      await run.says(LINE);
      const ms = performance.now() - begun;
      const { probes, maps, lines } = await run.stop();
      return { values: { ms }, work: { line: lines[0] ?? '', probes, maps: maps.join() } };
    },
  });
  figure(pairOf("time to the first line, in the client's hands", samples.ours, samples.raw));
}

/** All at once, until the last is attached. */
async function many({ figure, pairs }: BenchContext, client: BenchClient) {
  // Programs that are the same might be answered by one bpftrace.
  const program = (i: number): string => `${PROGRAM} interval:s:${100 + i} { @never = count(); }`;
  const ours = async (): Promise<Sample> => {
    await pause();
    const begun = performance.now();
    const all = await Promise.all(
      Array.from({ length: MANY }, (_, i) => client.result('exec_program', { program: program(i) })),
    );
    const ms = performance.now() - begun;
    const attached = all.filter(({ status }) => status === 'running').length;
    const ended = await Promise.all(
      all.map(({ execution_id }) => client.result('stop_program', { execution_id })),
    );
    const probes = ended.reduce((sum, { attached_probes: count = -1 }) => sum + count, 0);
    return { values: { ms }, work: { attached, probes } };
  };
  const first = await ours();
  figure(
    absolute({
      name: `${MANY} at once, the first time, when their threads are started`,
      unit: 'ms',
      ours: { name: 'bpftrace-mcp', samples: samplesOf([first], 'ms') },
    }),
  );
  const samples = await alternate(pairs(PAIRS_OF_MANY), {
    ours,
    raw: async () => {
      await pause();
      const begun = performance.now();
      const runs = Array.from({ length: MANY }, (_, i) => new RawBpftrace(program(i)));
      await Promise.all(runs.map(run => run.attached()));
      const ms = performance.now() - begun;
      const ended = await Promise.all(runs.map(run => run.stop()));
      return {
        values: { ms },
        work: { attached: ended.length, probes: ended.reduce((sum, run) => sum + run.probes, 0) },
      };
    },
  });
  figure(pairOf(`${MANY} at once, until the last is attached`, samples.ours, samples.raw));
}

function pairOf(name: string, ours: Sample[], raw: Sample[], wanted?: Bound): Figure {
  return compare({
    name,
    unit: 'ms',
    ours: { name: 'bpftrace-mcp', samples: samplesOf(ours, 'ms') },
    rival: { name: 'bpftrace -e', samples: samplesOf(raw, 'ms') },
    wanted,
    guard: { atMost: 1.5 },
  });
}

async function ours(client: BenchClient): Promise<Sample> {
  await pause();
  const begun = performance.now();
  const { status, execution_id, error_message } = await client.result('exec_program', { program: PROGRAM });
  const ms = performance.now() - begun;
  if (status !== 'running') throw new Error(`${status}, not running: ${error_message}`);
  const { attached_probes: probes = -1, maps } = await client.result('stop_program', { execution_id });
  return { values: { ms }, work: { probes, maps: maps.map(({ name }) => name).join() } };
}

async function raw(): Promise<Sample> {
  await pause();
  const begun = performance.now();
  const run = new RawBpftrace(PROGRAM);
  await run.attached();
  const ms = performance.now() - begun;
  const { probes, maps } = await run.stop();
  return { values: { ms }, work: { probes, maps: maps.join() } };
}

/** Its program ends by its deadline; what it does then is another bench's business (answer). */
async function asked(peer: BenchClient): Promise<Sample> {
  await pause();
  const begun = performance.now();
  const { status } = await peer.call('exec_program', { program: marked(PROGRAM), timeout: 1 });
  const ms = performance.now() - begun;
  if (status !== 'started') throw new Error(`MCPtrace: ${status}`);
  await new Promise(resolve => setTimeout(resolve, 2 * BETWEEN_MS));
  endLeftovers();
  return { values: { ms }, work: { probes: 1, maps: '@' } };
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, BETWEEN_MS));
}
