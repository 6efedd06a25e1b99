import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BPFTRACE } from '../test/support/server.js';
import type { Bench, BenchContext } from './bench.js';
import { BenchClient } from './client.js';
import { absolute, compare } from './figure.js';
import { alternate, type Sample, samplesOf } from './pairs.js';
import { endLeftovers, marked } from './peer/leftovers.js';
import { readRun } from './raw.js';

const PAIRS = 7;
const SECONDS = 1;
/** Never exits by itself, as most programs that people write. */
const PROGRAM = 'tracepoint:sched:sched_switch { @switches[comm] = count(); }';
const MAP = '@switches';
const POLL_MS = 100;

/**
 * A whole question: a program, its second, and its map in hand. `timeout` counts its second from the start of
 * bpftrace, ours from the moment when everything is attached: what is traced is a whole second here, and less there.
 */
export const answer: Bench = {
  name: 'answer',
  about: `a whole question, a program of ${SECONDS} s that never exits, until its map is there; ${PAIRS} pairs`,
  guarded: true,
  async run(context) {
    const client = await BenchClient.ours();
    const peer = context.guardOnly ? undefined : await BenchClient.peer();
    try {
      await ours(client);
      const samples = await alternate(context.pairs(PAIRS), { ours: () => ours(client), raw: () => raw() });
      context.figure(
        compare({
          name: 'a whole question of 1 s',
          unit: 'ms',
          ours: { name: 'bpftrace-mcp', samples: samplesOf(samples.ours, 'ms') },
          rival: { name: 'timeout -s INT 1 bpftrace -e', samples: samplesOf(samples.raw, 'ms') },
          guard: { atMost: 1.5 },
        }),
      );
      if (peer) await peersAnswers(context, peer);
      else context.say('  MCPtrace: not measured (npm run bench:peers installs it)');
    } finally {
      await Promise.all([client.close(), peer?.close()]);
      endLeftovers();
    }
  },
};

async function ours(client: BenchClient): Promise<Sample> {
  const begun = performance.now();
  const { status, ended_by, maps } = await client.result('exec_program', {
    program: PROGRAM,
    timeout: SECONDS,
    wait: 30,
  });
  const ms = performance.now() - begun;
  if (status !== 'completed') throw new Error(`${status} by ${ended_by}`);
  return { values: { ms }, work: { map: maps.some(({ name }) => name === MAP) } };
}

/** Where a busy machine has not even started it within its second, there is no map: unequal work, and no ratio. */
async function raw(): Promise<Sample> {
  const args = ['--preserve-status', '-s', 'INT', String(SECONDS), BPFTRACE, '-f', 'json', '-e', PROGRAM];
  const begun = performance.now();
  const stdout = await promisify(execFile)('timeout', args).then(
    run => run.stdout,
    () => '',
  );
  const ms = performance.now() - begun;
  return { values: { ms }, work: { map: readRun(stdout).maps.includes(MAP) } };
}

/** No ratio: it gives no answer to a question like this one, and how often it does is the figure. */
async function peersAnswers({ figure, pairs }: BenchContext, peer: BenchClient): Promise<void> {
  const arrived: number[] = [];
  for (let i = 0; i < pairs(PAIRS); i++) {
    const { execution_id } = await peer.call('exec_program', { program: marked(PROGRAM), timeout: SECONDS });
    let result = await peer.call('get_result', { execution_id });
    while (result.status === 'running') {
      await sleep(POLL_MS);
      result = await peer.call('get_result', { execution_id });
    }
    arrived.push(String(result.output).includes(`${MAP}[`) ? 1 : 0);
    endLeftovers();
  }
  figure(
    absolute({
      name: 'answers of MCPtrace that hold the map (all of ours do)',
      unit: 'of 1',
      ours: { name: 'MCPtrace', samples: arrived },
    }),
  );
}
