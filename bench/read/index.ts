import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BPFTRACE, MAIN } from '../../test/support/server.js';
import type { Bench } from '../bench.js';
import { absolute, compare } from '../figure.js';
import { startFlood } from '../flooding.js';
import { alternate, type Sample, samplesOf, type Work } from '../pairs.js';
import { percentileOf } from '../statistics.js';
import { LightClient } from './light-client.js';

const PAIRS = 3;
const SECONDS = 4;
const POLLERS = [1, 16, 64, 256];
const PROMISED = 64;
const EVERY_MS = 250;
const LINES = 1000;
/** A page's beginning may be overwritten while it is copied: then it is shorter. */
const LINES_MIN = 500;
/** Until everything that is compiled late has been. */
const WARM_CALLS = 200;
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
          ...(isPromised && { wanted: { atMost: 50 }, guard: { atMost: 400 } }),
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

async function poll(client: LightClient, pollers: number, args: Record<string, unknown>): Promise<Sample> {
  for (let i = 0; i < WARM_CALLS; i++) await client.call('get_result', args);
  const times: number[] = [];
  let [short, bytes] = [0, 0];
  const before = mainThreadMs(client);
  const end = performance.now() + SECONDS * 1000;
  const poller = async (i: number): Promise<void> => {
    let next = performance.now() + (EVERY_MS * i) / pollers;
    while (next < end) {
      await sleep(Math.max(0, next - performance.now()));
      const begun = performance.now();
      const reply = await client.call('get_result', args);
      times.push(performance.now() - begun);
      bytes += reply.length;
      if (linesIn(reply) < LINES_MIN) short++;
      next = Math.max(next + EVERY_MS, performance.now());
    }
  };
  await Promise.all(Array.from({ length: pollers }, (_, i) => poller(i)));
  const cpu = (mainThreadMs(client) - before) / times.length;
  const values = { p50: percentileOf(times, 50), p99: percentileOf(times, 99), cpu };
  return { values, work: { short, bytesEach: Math.round(bytes / times.length), replies: times.length } };
}

/** From what stands behind the lines, so that they need not be read. */
function linesIn(reply: Buffer): number {
  const at = reply.lastIndexOf('"lines_returned":');
  return Number.parseInt(reply.subarray(at + 17, at + 24).toString('latin1'), 10);
}

/** The time that its main thread has been on a processor. */
function mainThreadMs({ process: { pid } }: LightClient): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** Replies are of about the same size; who is slower gives fewer, which is what is measured. */
function bothAnswered(mine: Work, other: Work): string | undefined {
  const size = Number(mine.bytesEach) / Number(other.bytesEach);
  if (Number(mine.short) > 0.02 * Number(mine.replies))
    return `${mine.short} of ${mine.replies} replies are short`;
  return size < 0.7 || size > 1.4 ? `replies of ${mine.bytesEach} and ${other.bytesEach} bytes` : undefined;
}
