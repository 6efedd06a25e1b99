import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sample } from '../pairs.js';
import { percentileOf } from '../statistics.js';
import type { LightClient } from './light-client.js';

export const SECONDS = 4;
export const EVERY_MS = 250;
/** Until everything that is compiled late has been. */
const WARM_CALLS = 200;
/** A page's beginning may be overwritten while it is copied: then it is shorter. */
const LINES_MIN = 500;

/** Asks for `args` as so many pollers do, each every {@link EVERY_MS}, staggered, for {@link SECONDS}. */
export async function poll(
  client: LightClient,
  pollers: number,
  args: Record<string, unknown>,
): Promise<Sample> {
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
  const values = {
    p50: percentileOf(times, 50),
    p99: percentileOf(times, 99),
    cpu,
    perSecond: times.length / SECONDS,
  };
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
