import { type ClientView, createEngine, type TraceEngine } from '../src/engine/index.js';
import { BPFTRACE } from '../test/support/server.js';
import type { Bench } from './bench.js';
import { compare } from './figure.js';
import { alternate, type Sample, samplesOf } from './pairs.js';

const PAIRS = 3;
const CLIENTS = 64;
/** One after another, of each client. */
const ROUNDS = 3;
/** Each alone, the clients take turns at the slots: sharing gains no more than clients for each slot. */
const SLOTS = [4, 8];
const WANTED = 10;
const DEADLINE_MS = 200;
const PROGRAM = 'tracepoint:sched:sched_switch { @[comm] = count(); }';
const BOUND = { boundMs: 120_000 };

/** Agents that ask the same at once: each hands in the program again as soon as it has its result. */
export const share: Bench = {
  name: 'share',
  about: `${CLIENTS} clients, ${ROUNDS} times the same program each, with and without sharing; ${PAIRS} pairs`,
  guarded: true,
  async run({ figure, pairs }) {
    for (const slots of SLOTS) {
      const samples = await alternate(pairs(PAIRS), {
        shared: () => crowd('on', slots),
        alone: () => crowd('off', slots),
      });
      const most = CLIENTS / slots;
      figure(
        compare({
          name: `programs of ${DEADLINE_MS / 1000} s, ${slots} at once: ${most} times as many is the most there can be`,
          unit: 'results a second',
          ours: { name: '--share on', samples: samplesOf(samples.shared, 'perS') },
          rival: { name: '--share off', samples: samplesOf(samples.alone, 'perS') },
          ...(most > WANTED && { wanted: { atLeast: WANTED } }),
          guard: { atLeast: most / 2 },
        }),
      );
    }
  },
};

async function crowd(sharing: 'on' | 'off', slots: number): Promise<Sample> {
  const engine = createEngine({ bpftrace: BPFTRACE, share: sharing, concurrency: slots, standby: 1 });
  try {
    await once(engine.as('warm'), 100);
    const begun = performance.now();
    const maps = await Promise.all(clientsOf(engine).map(view => rounds(view)));
    const tookS = (performance.now() - begun) / 1000;
    return {
      values: { perS: (CLIENTS * ROUNDS) / tookS },
      work: { results: maps.flat().length, withMap: maps.flat().filter(name => name === '@').length },
    };
  } finally {
    await engine.close({ hurry: true });
  }
}

function clientsOf(engine: TraceEngine): ClientView[] {
  return Array.from({ length: CLIENTS }, (_, n) => engine.as(`agent ${n}`));
}

async function rounds(view: ClientView): Promise<(string | undefined)[]> {
  const maps: (string | undefined)[] = [];
  for (let round = 0; round < ROUNDS; round++) maps.push(await once(view, DEADLINE_MS));
  return maps;
}

/** The name of the map that its result has. */
async function once(view: ClientView, deadlineMs: number): Promise<string | undefined> {
  const id = view.submit({ program: PROGRAM, deadlineMs });
  await view.untilEnded(id, BOUND);
  const { status, ended_by, error_message, maps } = view.result(id);
  if (status !== 'completed' || ended_by !== 'deadline')
    throw new Error(`a program is ${status} by ${ended_by}: ${error_message}`);
  return maps[0]?.name;
}
