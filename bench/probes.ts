import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manyProbes, realProbes } from '../test/support/many-probes.js';
import { BPFTRACE, ServerUnderTest } from '../test/support/server.js';
import type { Bench, BenchContext } from './bench.js';
import { compare } from './figure.js';
import { alternate, type Sample, samplesOf, type Work } from './pairs.js';
import { medianOf } from './statistics.js';

const PAIRS = 7;
/** Ours is asked this often in a pair, since it is too short to time once; the median is taken. */
const QUESTIONS = 21;
const FIRST_PAIRS = 5;
/** Until server and client have compiled what they do for a question: before that, each takes twice as long. */
const WARM_QUESTIONS = 1000;

/** What is asked, and what `bpftrace -l` is given for the same. */
const FILTERS = [
  ['tracepoint:sched:*', 'tracepoint:sched:*'],
  ['tracepoint:syscalls:sys_enter_*open*', 'tracepoint:syscalls:sys_enter_*open*'],
  ['syscalls:*open*', 'tracepoint:syscalls:*open*'],
] as const;

/**
 * The same question asked over MCP, and of a `bpftrace -l` started for it. The list of 150,000 is made up
 * (test/support/many-probes.ts), so no bpftrace could list it here: what stands beside it is bpftrace over what this
 * host really has, which is less work than 150,000 would be.
 */
export const probes: Bench = {
  name: 'probes',
  about: `list_probes over MCP beside bpftrace -l; ${PAIRS} pairs, ${QUESTIONS} questions of ours in each, after ${WARM_QUESTIONS} others`,
  guarded: true,
  async run(context) {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-bench-'));
    try {
      await first(context);
      for (const names of [realProbes(), manyProbes()]) await later(context, folder, names);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The question that makes the list, to a server that has just started. */
async function first({ figure, pairs }: BenchContext): Promise<void> {
  const filter = 'tracepoint:sched:*';
  const samples = await alternate(pairs(FIRST_PAIRS), {
    ours: async () => {
      const server = await ServerUnderTest.start(['--log-level', 'silent']);
      try {
        const begun = performance.now();
        const found = await countOf(server, filter);
        return { values: { ms: performance.now() - begun }, work: { found } };
      } finally {
        await server.close();
      }
    },
    bpftrace: async () => bare(filter),
  });
  figure(
    compare({
      name: 'the first question, which makes the list',
      unit: 'ms',
      ours: { name: 'list_probes', samples: samplesOf(samples.ours, 'ms') },
      rival: { name: 'bpftrace -l', samples: samplesOf(samples.bpftrace, 'ms') },
    }),
  );
}

async function later(context: BenchContext, folder: string, names: string[]): Promise<void> {
  const { figure, pairs } = context;
  const lister = join(folder, 'bpftrace');
  const list = join(folder, 'list');
  writeFileSync(list, `${names.join('\n')}\n`);
  writeFileSync(lister, `#!/bin/sh\n[ "$*" = -l ] && exec cat ${list}\nexec ${BPFTRACE} "$@"\n`, {
    mode: 0o755,
  });
  const server = await ServerUnderTest.start(['--bpftrace', lister, '--log-level', 'silent']);
  try {
    await server.call('list_probes', {});
    await young(context, server, names.length);
    for (let i = 0; i < WARM_QUESTIONS; i++)
      await countOf(server, `tracepoint:sched:*${'*'.repeat(i % QUESTIONS)}`);
    for (const [filter, pattern] of FILTERS) {
      const samples = await alternate(
        pairs(PAIRS),
        { ours: () => ours(server, filter), bpftrace: async () => bare(pattern) },
        notLess,
      );
      figure(
        compare({
          name: `${filter} among ${names.length}`,
          unit: 'ms',
          ours: { name: 'list_probes', samples: samplesOf(samples.ours, 'ms') },
          rival: { name: 'bpftrace -l', samples: samplesOf(samples.bpftrace, 'ms') },
          wanted: { atMost: 0.01 },
          guard: { atMost: 0.05 },
        }),
      );
    }
  } finally {
    await server.close();
  }
}

/** Of a server that has its list, and has answered little else. */
async function young({ figure }: BenchContext, server: ServerUnderTest, among: number): Promise<void> {
  const [filter, pattern] = FILTERS[0];
  const samples = await alternate(
    1,
    { ours: () => ours(server, filter), bpftrace: async () => bare(pattern) },
    notLess,
  );
  figure(
    compare({
      name: `${filter} among ${among}, the first ${QUESTIONS} questions of a server`,
      unit: 'ms',
      ours: { name: 'list_probes', samples: samplesOf(samples.ours, 'ms') },
      rival: { name: 'bpftrace -l', samples: samplesOf(samples.bpftrace, 'ms') },
    }),
  );
}

/** The same question, put in other words each time, so that no answer is one that was kept. */
async function ours(server: ServerUnderTest, filter: string): Promise<Sample> {
  const times: number[] = [];
  let found = 0;
  for (let i = 1; i <= QUESTIONS; i++) {
    const begun = performance.now();
    found = await countOf(server, filter + '*'.repeat(i));
    times.push(performance.now() - begun);
  }
  return { values: { ms: medianOf(times) }, work: { found } };
}

async function countOf(server: ServerUnderTest, filter: string): Promise<number> {
  const { isError, structured, text } = await server.call('list_probes', { filter });
  if (isError) throw new Error(text);
  return Number(structured?.total);
}

/** bpftrace names some probes twice. */
function bare(pattern: string): Sample {
  const begun = performance.now();
  const { stdout } = spawnSync(BPFTRACE, ['-l', pattern], { encoding: 'utf8' });
  const ms = performance.now() - begun;
  return { values: { ms }, work: { found: new Set(stdout.split('\n').filter(Boolean)).size } };
}

function notLess(mine: Work, other: Work): string | undefined {
  const isLess = Number(mine.found) < Number(other.found) || Number(other.found) === 0;
  return isLess ? `${mine.found} probes found here, ${other.found} there` : undefined;
}
