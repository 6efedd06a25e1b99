import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BPFTRACE, MAIN } from '../test/support/server.js';
import type { Bench } from './bench.js';
import { compare } from './figure.js';
import { alternate, type Sample, samplesOf } from './pairs.js';

const PAIRS = 21;

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};

/**
 * From the start of the process to the answer of `initialize`, which is asked for at once. Beside it: a Node that
 * only imports the SDK's server and its stdio transport, and says so.
 */
export const startup: Bench = {
  name: 'startup',
  about: `from the start of the server to the answer of initialize, beside a Node that only imports the SDK's server; ${PAIRS} pairs`,
  guarded: true,
  async run({ figure, pairs }) {
    const samples = await alternate(
      pairs(PAIRS),
      {
        ours: () => answered([MAIN, '--bpftrace', BPFTRACE, '--log-level', 'silent']),
        bare: () => answered([fileURLToPath(new URL('./startup-bare.js', import.meta.url))]),
        node: () => answered(['-e', 'console.log(JSON.stringify({ id: 0, result: {} }))']),
      },
      () => undefined,
    );
    const ours = { name: 'bpftrace-mcp', samples: samplesOf(samples.ours, 'ms') };
    figure(
      compare({
        name: 'start to initialize answered',
        unit: 'ms',
        ours,
        rival: { name: "node, importing the SDK's server", samples: samplesOf(samples.bare, 'ms') },
        wanted: { atMost: 1.5 },
        guard: { atMost: 2 },
      }),
    );
    figure(
      compare({
        name: 'the same beside an empty node',
        unit: 'ms',
        ours,
        rival: { name: 'node -e', samples: samplesOf(samples.node, 'ms') },
      }),
    );
  },
};

/** Milliseconds from the start of a Node until it has answered with a line, and that it has. */
async function answered(args: string[]): Promise<Sample> {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'pipe' });
  child.stdin.on('error', () => {}); // The bare ones do not read.
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  const line = await firstLine(child);
  const ms = performance.now() - begun;
  const gone = once(child, 'exit');
  child.stdin.end();
  await gone;
  const { id, result } = JSON.parse(line);
  if (id !== 0 || typeof result !== 'object') throw new Error(`no answer to initialize: ${line}`);
  return { values: { ms }, work: {} };
}

function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let said = '';
  child.stderr.on('data', chunk => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', code => reject(new Error(`ended with ${code} without an answer: ${said}`)));
  });
}
