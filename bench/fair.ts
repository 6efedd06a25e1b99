import { createEngine, type EndReport } from '../src/engine/index.js';
import { BPFTRACE } from '../test/support/server.js';
import type { Bench } from './bench.js';
import { absolute, compare } from './figure.js';
import { alternate, type Sample, samplesOf } from './pairs.js';
import { medianOf, significant } from './statistics.js';

const PAIRS = 3;
const GREEDY = 500;
const MODEST = 10;
/** One after another, of each modest client. */
const ROUNDS = 3;
const DEADLINE_MS = 300;
const BOUND = { boundMs: 300_000 };

type Setting = 'alone' | 'beside' | 'one line';

/**
 * How long the programs of modest clients wait for a slot: by themselves; while a greedy client has 500 queued; and,
 * once, while all stand in one line, as in a queue that knows no clients.
 */
export const fair: Bench = {
  name: 'fair',
  about: `${MODEST} modest clients, ${ROUNDS} programs of ${DEADLINE_MS / 1000} s each, beside a greedy one with ${GREEDY} queued`,
  guarded: true,
  async run({ figure, pairs, say, guardOnly }) {
    const samples = await alternate(pairs(PAIRS), {
      beside: () => waits('beside'),
      alone: () => waits('alone'),
    });
    const slots = samples.beside[0]?.values.slots ?? 0;
    figure(
      compare({
        name: `a modest program from being handed in to its end, median (${slots} slots)`,
        unit: 's',
        ours: { name: 'beside the greedy one', samples: samplesOf(samples.beside, 'tookS') },
        rival: { name: 'without it', samples: samplesOf(samples.alone, 'tookS') },
      }),
    );
    figure(
      compare({
        name: 'the same, the longest',
        unit: 's',
        ours: { name: 'beside the greedy one', samples: samplesOf(samples.beside, 'longestS') },
        rival: { name: 'without it', samples: samplesOf(samples.alone, 'longestS') },
        guard: { atMost: 5 },
      }),
    );
    figure(
      absolute({
        name: 'the wait for a slot beside the greedy one, median',
        unit: 's',
        ours: { name: 'bpftrace-mcp', samples: samplesOf(samples.beside, 'waitS') },
      }),
    );
    figure(
      absolute({
        name: 'by how much the estimate of that wait was off when the program was handed in, median',
        unit: 's',
        ours: { name: 'bpftrace-mcp', samples: samplesOf(samples.beside, 'offS') },
      }),
    );
    if (guardOnly) return;
    const { values } = await waits('one line');
    say(
      `  once, all in one line as in a queue that knows no clients: median ${significant(values.tookS ?? 0)} s, longest ${significant(values.longestS ?? 0)} s`,
    );
  },
};

async function waits(setting: Setting): Promise<Sample> {
  const waited = new Map<string, EndReport>();
  const engine = createEngine(
    { bpftrace: BPFTRACE, queueLimit: GREEDY + MODEST * ROUNDS, share: 'off' },
    { onEnd: report => waited.set(report.execution, report) },
  );
  const nameOf = (name: string): string => (setting === 'one line' ? 'everybody' : name);
  const greedy = engine.as(nameOf('greedy'));
  const request = {
    program: 'tracepoint:sched:sched_switch { @[comm] = count(); }',
    deadlineMs: DEADLINE_MS,
  };
  try {
    const warm = engine.as('warm');
    await warm.untilEnded(warm.submit(request), BOUND);
    const queued = setting === 'alone' ? [] : Array.from({ length: GREEDY }, () => greedy.submit(request));
    const programs = await Promise.all(
      Array.from({ length: MODEST }, async (_, n) => {
        const view = engine.as(nameOf(`modest ${n}`));
        const told: { estimateS: number; tookS: number; waitS: number }[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const begun = performance.now();
          const id = view.submit(request);
          const estimateS = view.result(id).estimated_start ?? 0;
          await view.untilEnded(id, BOUND);
          const { status } = view.result(id);
          if (status !== 'completed') throw new Error(`a modest program is ${status}`);
          const waitS = (waited.get(id)?.queuedMs ?? Number.NaN) / 1000;
          told.push({ estimateS, waitS, tookS: (performance.now() - begun) / 1000 });
        }
        return told;
      }),
    );
    const all = programs.flat();
    for (const id of queued.reverse()) greedy.stop(id);
    return {
      values: {
        slots: engine.mostAtOnce,
        tookS: medianOf(all.map(({ tookS }) => tookS)),
        longestS: Math.max(...all.map(({ tookS }) => tookS)),
        waitS: medianOf(all.map(({ waitS }) => waitS)),
        offS: medianOf(all.map(({ estimateS, waitS }) => Math.abs(estimateS - waitS))),
      },
      work: { modest: all.length },
    };
  } finally {
    await engine.close({ hurry: true });
  }
}
