import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProbeIndex } from '../src/bpftrace/probes/index.js';
import { ProbePool } from '../src/pool/probe-pool.js';
import { manyProbes, realProbes } from '../test/support/many-probes.js';
import { BPFTRACE, ServerUnderTest } from '../test/support/server.js';
import type { Bench } from './bench.js';
import { show, spreadOf } from './statistics.js';

/** Pairs of ours and of `bpftrace -l`, one after the other, so that drift hits both. */
const PAIRS = 7;
/** Ours is asked this often in a pair, since it is too short to time once; the median is taken. */
const QUESTIONS = 21;

/** What is asked, and what `bpftrace -l` is given for the same. Words have no like there: it lists everything, to be searched. */
const FILTERS: readonly [filter: string, pattern: string][] = [
  ['tracepoint:syscalls:sys_enter_*open*', 'tracepoint:syscalls:sys_enter_*open*'],
  ['tracepoint:sched:*', 'tracepoint:sched:*'],
  ['kprobe:tcp_*', 'kprobe:tcp_*'],
  ['syscalls:*open*', 'tracepoint:syscalls:*open*'],
  ['tcp retransmit', '*'],
  ['context switch', '*'],
];

/**
 * The same question asked of the thread that holds the list, over MCP, and of a `bpftrace -l` started for it.
 * The list of 150,000 is made up (test/support/many-probes.ts), so no bpftrace could list it here: what stands
 * beside it is bpftrace over what this host really has, which is less work than 150,000 would be.
 */
export const probes: Bench = {
  name: 'probes',
  about: `list_probes beside bpftrace -l; ${PAIRS} alternating pairs, ${QUESTIONS} questions of ours in each, ms`,
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-bench-'));
    try {
      for (const names of [realProbes(), manyProbes()]) await measure(say, folder, names);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measure(say: (line: string) => void, folder: string, names: string[]): Promise<void> {
  const list = join(folder, 'list');
  const lister = join(folder, 'bpftrace');
  writeFileSync(list, `${names.join('\n')}\n`);
  writeFileSync(lister, `#!/bin/sh\n[ "$*" = -l ] && exec cat ${list}\nexec ${BPFTRACE} "$@"\n`, {
    mode: 0o755,
  });
  const pool = new ProbePool();
  const index = new ProbeIndex(pool, {
    requireBinary: () => {},
    identity: () => lister,
    plan: args => ({ command: lister, args: [...args], env: {} }),
  });
  const server = await ServerUnderTest.start(['--bpftrace', lister, '--log-level', 'silent']);
  try {
    const begun = performance.now();
    const { total } = await index.find({});
    say(
      `  ${total} probes; the first question, which makes the list: ${(performance.now() - begun).toFixed(0)} ms`,
    );
    await server.call('list_probes', {});
    say(
      `    ${'filter'.padEnd(38)} ${'in the thread'.padEnd(21)} ${'over MCP'.padEnd(21)} ${'bpftrace -l'.padEnd(24)} ratio of thread, of MCP`,
    );
    for (const [filter, pattern] of FILTERS) {
      const thread: number[] = [];
      const mcp: number[] = [];
      const bare: number[] = [];
      for (let pair = 0; pair < PAIRS; pair++) {
        thread.push(await timed(filter, one => index.find({ filter: one })));
        mcp.push(await timed(filter, one => server.call('list_probes', { filter: one })));
        const started = performance.now();
        spawnSync(BPFTRACE, ['-l', pattern], { stdio: 'ignore' });
        bare.push(performance.now() - started);
      }
      const ratio = (ours: readonly number[]): string =>
        spreadOf(ours.map((ms, i) => ms / (bare[i] ?? Number.NaN))).median.toFixed(4);
      say(
        `    ${filter.padEnd(38)} ${show(spreadOf(thread)).padEnd(21)} ${show(spreadOf(mcp)).padEnd(21)} ${show(spreadOf(bare), 1).padEnd(24)} ${ratio(thread)}, ${ratio(mcp)}`,
      );
    }
  } finally {
    await server.close();
    await pool.close();
  }
}

/** Milliseconds a question: the same one, put in other words each time, so that no answer is one that was kept. */
async function timed(filter: string, ask: (filter: string) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 1; i <= QUESTIONS; i++) {
    const same = filter + (filter.endsWith('*') ? '*' : '?').repeat(i);
    const begun = performance.now();
    await ask(same);
    times.push(performance.now() - begun);
  }
  return spreadOf(times).median;
}
