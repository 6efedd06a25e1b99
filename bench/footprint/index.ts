import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../bench.js';
import { absolute, compare } from '../figure.js';
import { alternate, type Sample, samplesOf } from '../pairs.js';

const PAIRS = 3;

/** What one measurement of footprint/host.ts gives. */
export type FootprintReport = Record<string, number>;

const KINDS = ['idle', 'running', 'small', 'full'] as const;
type Kind = (typeof KINDS)[number];

/** Memory of this side only: bpftraces are not counted. */
export const footprint: Bench = {
  name: 'footprint',
  about: `memory of an idle server beside an idle Node, of an execution that runs, of finished ones; ${PAIRS} times`,
  guarded: true,
  async run({ figure, pairs }) {
    const samples = await alternate(pairs(PAIRS), {
      idle: () => measure('idle'),
      running: () => measure('running'),
      small: () => measure('small'),
      full: () => measure('full'),
    });
    figure(
      compare({
        name: 'an idle server, resident',
        unit: 'MB',
        ours: { name: 'the server', samples: samplesOf(samples.idle, 'server') },
        rival: { name: "Node with the SDK's server", samples: samplesOf(samples.idle, 'bare') },
      }),
    );
    figure(
      absolute({
        name: 'an execution that runs, resident',
        unit: 'MB',
        ours: { name: 'of 8', samples: samplesOf(samples.running, 'each') },
      }),
    );
    figure(
      absolute({
        name: 'a finished execution without lines',
        unit: 'bytes',
        ours: { name: 'of 1,000', samples: samplesOf(samples.small, 'each') },
        guard: { atMost: 16_384 },
      }),
    );
    figure(
      compare({
        name: 'a finished execution with 10,000 lines of 80 bytes',
        unit: 'bytes',
        ours: { name: 'of 200', samples: samplesOf(samples.full, 'each') },
        rival: { name: 'the bytes of its lines', samples: samplesOf(samples.full, 'lines') },
        wanted: { atMost: 1.3 },
        guard: { atMost: 1.5 },
      }),
    );
  },
};

async function measure(kind: Kind): Promise<Sample> {
  const file = fileURLToPath(new URL('./host.js', import.meta.url));
  const host = spawn(process.execPath, ['--expose-gc', file, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  host.stdout.on('data', chunk => {
    printed += chunk;
  });
  const [code] = await once(host, 'close');
  if (code !== 0) throw new Error(`${kind}: exit code ${code}`);
  const values: FootprintReport = JSON.parse(printed);
  return { values, work: {} };
}
