import { createEngine } from '../../src/engine/index.js';
import { heldBy, residentMb } from '../../test/support/held.js';
import { seeded } from '../../test/support/random.js';
import { BPFTRACE, ServerUnderTest } from '../../test/support/server.js';
import type { Bench } from '../bench.js';
import { LIBRARY_WORK } from './library-work.js';
import { STDIO_WORK } from './stdio-work.js';

const CLIENTS = 4;
const AT_ONCE = 3;
/** Finished executions that are kept, so that what is held is the same from early on. */
const KEPT = 50;
const LOOKS = 10;
const WRONG_SHOWN = 10;

interface Soak {
  over: () => boolean;
  /** How often each kind of work was done. */
  done: Map<string, number>;
  wrong: string[];
}

/**
 * Mixed work, each piece of a random kind: four clients of the library in this process, which share three slots,
 * and one client of a server over stdio. Each result is checked.
 */
export const soak: Bench = {
  name: 'soak',
  about: `mixed work of ${CLIENTS} clients of the library and one over stdio, every result checked`,
  onlyNamed: true,
  async run({ say, minutes }) {
    const begun = performance.now();
    const durationMs = minutes * 60_000;
    const elapsedMs = (): number => performance.now() - begun;
    const state: Soak = { over: () => elapsedMs() > durationMs, done: new Map(), wrong: [] };
    const engine = createEngine({ bpftrace: BPFTRACE, concurrency: AT_ONCE, maxResults: KEPT });
    const server = await ServerUnderTest.start(['--concurrency', '1', '--max-results', String(KEPT)]);
    let looks = 0;
    const look = (): void => {
      looks++;
      const at = `${(elapsedMs() / 60_000).toFixed(1)} min`;
      const heap = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
      say(
        `  ${at.padEnd(9)} library: ${figures(process.pid)}, heap ${heap} MB (with the server as its child)`,
      );
      say(`  ${''.padEnd(9)} server:  ${figures(server.pid)}`);
    };
    const timer = setInterval(look, durationMs / LOOKS);
    try {
      const clients = Array.from({ length: CLIENTS }, (_, i) => engine.as(`client ${i}`));
      await Promise.all([
        ...clients.map((me, i) => {
          const other = clients[(i + 1) % CLIENTS] ?? me;
          return lane(state, i, LIBRARY_WORK, (work, chance) => work(me, chance, other));
        }),
        lane(state, CLIENTS, STDIO_WORK, (work, chance) => work(server, chance)),
      ]);
      clearInterval(timer);
      look();
      const { code } = await server.close();
      if (code !== 0) state.wrong.push(`the server ended with ${code}`);
    } finally {
      clearInterval(timer);
      server.process.kill('SIGKILL');
      await engine.close({ hurry: true });
    }
    const { children, zombies } = heldBy(process.pid);
    if (children + zombies > 0) state.wrong.push(`${children} children and ${zombies} zombies are left`);
    const kinds = [...state.done].sort(([a], [b]) => a.localeCompare(b));
    for (const [name, count] of kinds) say(`  ${String(count).padStart(6)}  ${name}`);
    const total = kinds.reduce((sum, [, count]) => sum + count, 0);
    say(`  ${total} done, ${state.wrong.length} wrong, ${looks} looks`);
    if (state.wrong.length > 0) throw new Error(state.wrong.slice(0, WRONG_SHOWN).join('\n'));
  },
};

function figures(pid: number): string {
  const { children, zombies, threads, descriptors } = heldBy(pid);
  return `rss ${residentMb(pid)} MB, ${descriptors} descriptors, ${threads} threads, ${children} children, ${zombies} zombies`;
}

/** One piece of work after the other; what is wrong is kept, and the next one goes on. */
async function lane<Work>(
  { over, done, wrong }: Soak,
  seed: number,
  works: Readonly<Record<string, Work>>,
  act: (work: Work, chance: ReturnType<typeof seeded>) => Promise<void>,
): Promise<void> {
  const chance = seeded(seed);
  const all = Object.entries(works);
  while (!over()) {
    const [name, work] = all[chance.below(all.length)] ?? [];
    if (name === undefined || work === undefined) throw new Error('there is no work');
    try {
      await act(work, chance);
    } catch (error) {
      wrong.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
    done.set(name, (done.get(name) ?? 0) + 1);
  }
}
