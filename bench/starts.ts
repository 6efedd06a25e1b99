import { createEngine } from '../src/engine/index.js';
import { heldBy, residentMb } from '../test/support/held.js';
import type { Bench } from './bench.js';

const STARTS = 1000;
const WARM = 50;
const AT_ONCE = 4;
const BOUND = { boundMs: 60_000 };

/** One program after the other is started and stopped; what the process holds, when it is warm and at the end. */
export const starts: Bench = {
  name: 'starts',
  about: `${STARTS} starts and stops, ${AT_ONCE} at once: memory, descriptors, threads and children, warm and at the end`,
  onlyNamed: true,
  async run({ say }) {
    const bpftrace = process.env.BPFTRACE_MCP_BPFTRACE ?? 'bpftrace';
    const engine = createEngine({ bpftrace, concurrency: AT_ONCE, maxResults: WARM, queueLimit: STARTS });
    const me = engine.as('bench');
    const one = async (): Promise<void> => {
      const id = me.submit({ program: 'interval:ms:50 { @n = count(); }', deadlineMs: 60_000 });
      await me.untilSettled(id, BOUND);
      me.stop(id);
      await me.untilEnded(id, BOUND);
      const { status, ended_by, error_message } = me.result(id);
      if (status !== 'stopped' || ended_by !== 'stop' || error_message !== undefined)
        throw new Error(`${id} is ${status} by ${ended_by}: ${error_message}`);
    };
    const many = async (count: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, lane) => {
          for (let n = lane; n < count; n += AT_ONCE) await one();
        }),
      );
    };
    await many(WARM);
    const warm = held();
    const begun = performance.now();
    await many(STARTS);
    const end = held();
    const perStart = (performance.now() - begun) / STARTS;
    say(`  ${STARTS} started and stopped, each checked; ${perStart.toFixed(0)} ms each, ${AT_ONCE} at once`);
    for (const name of Object.keys(warm) as (keyof typeof warm)[])
      say(`  ${name.padEnd(12)} warm ${warm[name]}, end ${end[name]}`);
    await engine.close();
    const { children, zombies } = end;
    if (children + zombies > 0) throw new Error(`${children} children and ${zombies} zombies are left`);
  },
};

function held() {
  return {
    'rss, MB': residentMb(process.pid),
    'heap, MB': Math.round(process.memoryUsage().heapUsed / 2 ** 20),
    ...heldBy(process.pid),
  };
}
