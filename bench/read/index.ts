import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BPFTRACE, MAIN } from '../../test/support/server.js';
import type { Bench } from '../bench.js';
import { absolute, compare } from '../figure.js';
import { startFlood } from '../flooding.js';
import { alternate, type Sample, samplesOf, type Work } from '../pairs.js';
import { LightClient } from './light-client.js';
import { EVERY_MS, poll, SECONDS } from './poll.js';

const PAIRS = 3;
const POLLERS = [1, 16, 64, 256];
const PROMISED = 64;
const LINES = 1000;
const REPLY_BYTES = 110_000;

/**
 * One bpftrace prints as fast as it can; each poller asks for 1,000 lines four times a second. The time of a reply
 * is that from asking to its last byte. Beside it, under the same flood (to /dev/null): a Node that writes a reply of
 * this size to each request and does nothing else, which is what no server can be faster than.
 */
export const read: Bench = {
  name: 'read',
  about: `get_result of ${LINES} lines in a flood, each poller every ${EVERY_MS} ms, ${SECONDS} s; beside a Node that only writes such replies; ${PAIRS} pairs`,
  guarded: true,
  async run({ figure, pairs, guardOnly }) {
    for (const pollers of POLLERS) {
      if (guardOnly && pollers !== PROMISED) continue;
      const samples = await alternate(
        pairs(PAIRS),
        { ours: () => ours(pollers), floor: () => floor(pollers) },
        bothAnswered,
      );
      const isPromised = pollers === PROMISED;
      figure(
        absolute({
          name: `p99 with ${pollers}`,
          unit: 'ms',
          ours: { name: 'get_result', samples: samplesOf(samples.ours, 'p99') },
          ...(isPromised && { wanted: { atMost: 50 } }),
        }),
      );
      figure(
        absolute({
          name: `p99 with ${pollers} of a Node that only writes`,
          unit: 'ms',
          ours: { name: 'a Node that only writes', samples: samplesOf(samples.floor, 'p99') },
        }),
      );
      figure(
        compare({
          name: `p50 with ${pollers}`,
          unit: 'ms',
          ours: { name: 'get_result', samples: samplesOf(samples.ours, 'p50') },
          rival: { name: 'a Node that only writes', samples: samplesOf(samples.floor, 'p50') },
        }),
      );
      figure(
        absolute({
          name: `processor time of a reply with ${pollers}, main thread`,
          unit: 'ms',
          ours: { name: 'get_result', samples: samplesOf(samples.ours, 'cpu') },
          // Whatever else the machine does, this stays.
          ...(isPromised && { guard: { atMost: 3 } }),
        }),
      );
    }
  },
};

async function ours(pollers: number): Promise<Sample> {
  const client = await LightClient.start([MAIN, '--bpftrace', BPFTRACE, '--log-level', 'silent']);
  const flood = startFlood();
  try {
    const reply = await client.call('exec_program', { program: flood.program, timeout: 60 });
    const id = /"execution_id":"(\w+)"/.exec(reply.toString('latin1'))?.[1];
    return await poll(client, pollers, { execution_id: id, offset: 0, limit: LINES, max_bytes: 2 ** 20 });
  } finally {
    flood.stop();
    await client.close();
  }
}

async function floor(pollers: number): Promise<Sample> {
  const file = fileURLToPath(new URL('./floor.js', import.meta.url));
  const client = await LightClient.start([file, String(REPLY_BYTES)]);
  const flood = startFlood();
  const raw = spawn('sh', ['-c', 'exec "$0" -f json -e "$1" > /dev/null 2>&1', BPFTRACE, flood.program]);
  try {
    return await poll(client, pollers, {});
  } finally {
    flood.stop();
    raw.kill('SIGKILL');
    await client.close();
  }
}

/** Replies are of about the same size; who is slower gives fewer, which is what is measured. */
function bothAnswered(mine: Work, other: Work): string | undefined {
  const size = Number(mine.bytesEach) / Number(other.bytesEach);
  if (Number(mine.short) > 0.02 * Number(mine.replies))
    return `${mine.short} of ${mine.replies} replies are short`;
  return size < 0.7 || size > 1.4 ? `replies of ${mine.bytesEach} and ${other.bytesEach} bytes` : undefined;
}
