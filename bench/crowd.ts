import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BPFTRACE } from '../test/support/server.js';
import type { Bench } from './bench.js';
import { BenchClient } from './client.js';
import { compare } from './figure.js';
import { alternate, type Sample, samplesOf } from './pairs.js';
import { readRun } from './raw.js';

const PAIRS = 3;
/** So many at once, and so many programs in all: each differs from the others, so that none can be shared. */
const CROWDS: readonly [atOnce: number, programs: number][] = [
  [1, 12],
  [4, 32],
  [16, 48],
  [64, 96],
];
const GUARDED = 16;

const programOf = (n: number): string => `BEGIN { printf("program %d\\n", ${n}); exit(); }`;

/** Programs a second, over one MCP client that asks so many at once, beside as many of `xargs -P`. */
export const crowd: Bench = {
  name: 'crowd',
  about: `different short programs a second, so many at once, beside xargs -P of bpftrace; ${PAIRS} pairs`,
  guarded: true,
  async run({ figure, pairs, guardOnly }) {
    for (const [atOnce, programs] of CROWDS) {
      if (guardOnly && atOnce !== GUARDED) continue;
      const client = await BenchClient.ours(['--concurrency', String(atOnce)]);
      try {
        await ours(client, atOnce, atOnce);
        const samples = await alternate(pairs(PAIRS), {
          ours: () => ours(client, atOnce, programs),
          xargs: () => byXargs(atOnce, programs),
        });
        figure(
          compare({
            name: `${atOnce} at once`,
            unit: 'programs/s',
            ours: { name: 'exec_program', samples: samplesOf(samples.ours, 'perSecond') },
            rival: { name: `xargs -P${atOnce}`, samples: samplesOf(samples.xargs, 'perSecond') },
            ...(atOnce === GUARDED && { wanted: { atLeast: 0.95 }, guard: { atLeast: 0.6 } }),
          }),
        );
      } finally {
        await client.close();
      }
    }
  },
};

async function ours(client: BenchClient, atOnce: number, programs: number): Promise<Sample> {
  const said: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < programs) {
      const n = next++;
      const { status, output } = await client.result('exec_program', { program: programOf(n), wait: 50 });
      if (status !== 'completed') throw new Error(`program ${n} is ${status}`);
      said.push(...output);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: atOnce }, lane));
  return sampleOf(performance.now() - begun, said);
}

async function byXargs(atOnce: number, programs: number): Promise<Sample> {
  const begun = performance.now();
  const child = spawn('xargs', ['-0', '-n1', `-P${atOnce}`, BPFTRACE, '-f', 'json', '-e'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout.on('data', chunk => {
    printed += chunk;
  });
  child.stdin.end(Array.from({ length: programs }, (_, n) => programOf(n)).join('\0'));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`xargs ended with ${code}`);
  return sampleOf(performance.now() - begun, readRun(printed).lines);
}

function sampleOf(ms: number, said: readonly string[]): Sample {
  const perSecond = (said.length / ms) * 1000;
  return { values: { perSecond }, work: { programs: said.length, different: new Set(said).size } };
}
