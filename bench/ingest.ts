import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine } from '../src/engine/index.js';
import type { Bench } from './bench.js';
import { compare } from './figure.js';
import { alternate, type Sample, samplesOf, UnequalWork } from './pairs.js';

const PAIRS = 7;
/** What a printer that costs nothing prints: a file of records, again and again. */
const FILE_LINES = 600_000;
const TIMES = 12;
const LINE_BYTES = 80;
const RECORD_BYTES = LINE_BYTES + '{"type": "printf", "data": "\\n"}\n'.length;
const LINES = FILE_LINES * TIMES;
const KEPT = 10_000;
const BOUND = { boundMs: 60_000 };

/**
 * How fast lines are taken in from a printer that is faster than any bpftrace, the newest 10,000 kept and indexed. From
 * the start of the process to its end is known; beside it, the same bytes through a pipe that keeps nothing.
 */
export const ingest: Bench = {
  name: 'ingest',
  about: `${LINES / 1e6} M lines of ${LINE_BYTES} bytes as JSON (${Math.round((LINES * RECORD_BYTES) / 1e6)} MB), beside cat | cat > /dev/null; ${PAIRS} pairs`,
  guarded: true,
  async run({ figure, pairs }) {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-ingest-'));
    try {
      const file = join(folder, 'records');
      writeRecords(file);
      const files = Array(TIMES).fill(file).join(' ');
      const printer = join(folder, 'printer');
      writeFileSync(printer, `#!/bin/sh\nexec cat ${files}\n`, { mode: 0o755 });
      const samples = await alternate(
        pairs(PAIRS),
        { ours: () => ours(printer), cat: () => cat(files) },
        () => undefined,
      );
      figure(
        compare({
          name: 'lines taken in',
          unit: 'MB/s',
          ours: { name: 'the server', samples: samplesOf(samples.ours, 'rate') },
          rival: { name: 'cat | cat > /dev/null', samples: samplesOf(samples.cat, 'rate') },
          wanted: { atLeast: 0.4 },
          guard: { atLeast: 0.2 },
        }),
      );
      figure(
        compare({
          name: 'processor time of a line',
          unit: 'ns',
          ours: { name: 'the server', samples: samplesOf(samples.ours, 'cpuNs') },
          rival: { name: 'both cats', samples: samplesOf(samples.cat, 'cpuNs') },
        }),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function lineOf(n: number): string {
  return `line ${n} of many `.padEnd(LINE_BYTES, 'and more ');
}

function writeRecords(path: string): void {
  const file = openSync(path, 'w');
  for (let n = 0; n < FILE_LINES; ) {
    let chunk = '';
    for (const end = n + 1000; n < end; n++) chunk += `{"type": "printf", "data": "${lineOf(n)}\\n"}\n`;
    writeSync(file, chunk);
  }
  closeSync(file);
}

async function ours(printer: string): Promise<Sample> {
  const engine = createEngine({ bpftrace: printer, floodBytesPerS: 0 });
  try {
    const me = engine.as('bench');
    const once = async () => {
      const begun = { at: performance.now(), cpu: process.cpuUsage() };
      const id = me.submit({ program: 'BEGIN { printf("a fake prints") }' });
      await me.untilEnded(id, BOUND);
      const cpu = process.cpuUsage(begun.cpu);
      return { id, ms: performance.now() - begun.at, cpuNs: ((cpu.user + cpu.system) * 1000) / LINES };
    };
    // The thread and its pipe are there then, and what is compiled late has been.
    await once();
    const { id, ms, cpuNs } = await once();
    const { status, lines_total, lines_dropped } = me.result(id, { limit: 0 });
    const { output } = me.result(id, { offset: LINES - 1, limit: 1 });
    if (status !== 'completed' || lines_total !== LINES || lines_dropped !== LINES - KEPT)
      throw new UnequalWork(`${status}: ${lines_total} lines of ${LINES}, ${lines_dropped} dropped`);
    if (output[0] !== lineOf(FILE_LINES - 1)) throw new UnequalWork(`the last line is ${output[0]}`);
    return { values: { rate: (LINES * RECORD_BYTES) / ms / 1000, cpuNs }, work: {} };
  } finally {
    await engine.close({ hurry: true });
  }
}

/** Its processor time as the shell tells it. */
async function cat(files: string): Promise<Sample> {
  const begun = performance.now();
  const child = spawn('bash', ['-c', `TIMEFORMAT='%U %S'; time (cat ${files} | cat > /dev/null)`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', chunk => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`cat: exit code ${code}: ${said}`);
  const ms = performance.now() - begun;
  const [user = Number.NaN, system = Number.NaN] = said.trim().split(' ').map(Number);
  return {
    values: { rate: (LINES * RECORD_BYTES) / ms / 1000, cpuNs: ((user + system) * 1e9) / LINES },
    work: {},
  };
}
