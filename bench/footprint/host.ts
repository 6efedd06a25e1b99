import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../src/engine/index.js';
import { ServerUnderTest } from '../../test/support/server.js';
import type { FootprintReport } from './index.js';

/** One measurement, in a process of its own with nothing else in it; prints a report as JSON. */
const IDLE_MS = 2000;
const RUNNING = 8;
const SMALL = 1000;
const FULL = 200;
const LINES = 10_000;
const LINE_BYTES = 80;
const BOUND = { boundMs: 120_000 };

const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-footprint-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Resident and its own: pages of files, such as Node's code, are shared with every other Node. */
function residentKb(pid: number | 'self'): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** What JavaScript holds, buffers included, when all that is garbage has been collected. */
async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Stands in for bpftrace, which would take minutes: it prints, and ends or goes on. */
function printer(...lines: string[]): string {
  const path = join(folder, 'printer');
  writeFileSync(path, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return path;
}

async function idle(): Promise<FootprintReport> {
  const server = await ServerUnderTest.start(['--standby', '0']);
  const bare = spawn(process.execPath, [fileURLToPath(new URL('./bare.js', import.meta.url))]);
  await sleep(IDLE_MS);
  const report = {
    server: residentKb(server.pid) / 1024,
    bare: residentKb(bare.pid ?? 0) / 1024,
  };
  bare.kill('SIGKILL');
  await server.close();
  return report;
}

async function running(): Promise<FootprintReport> {
  const path = printer(`printf '%s\\n' '{"type": "printf", "data": "x\\n"}'`, 'exec sleep 100');
  const engine = createEngine({ bpftrace: path, concurrency: RUNNING });
  const me = engine.as('bench');
  const start = async (count: number): Promise<void> => {
    const ids = Array.from({ length: count }, (_, i) => me.submit({ program: `BEGIN { @ = ${i} }` }));
    for (const id of ids) await me.untilSettled(id, BOUND);
  };
  await start(1);
  await sleep(IDLE_MS);
  const before = residentKb('self');
  await start(RUNNING - 1);
  await sleep(IDLE_MS);
  const each = (residentKb('self') - before) / 1024 / (RUNNING - 1);
  await engine.close({ hurry: true });
  return { each };
}

async function finished(path: string, count: number): Promise<{ each: number; lines: number }> {
  const engine = createEngine({ bpftrace: path, queueLimit: count, maxResultsBytes: 2 ** 30 });
  const me = engine.as('bench');
  const run = async (many: number): Promise<void> => {
    const ids = Array.from({ length: many }, (_, i) => me.submit({ program: `BEGIN { @ = ${i} }` }));
    for (const id of ids) await me.untilEnded(id, BOUND);
    for (const id of ids) {
      const { status, lines_total } = me.result(id, { limit: 0 });
      if (status !== 'completed') throw new Error(`${id} is ${status}, ${lines_total} lines`);
    }
  };
  await run(count);
  const before = await heldBytes();
  await run(count);
  const each = ((await heldBytes()) - before) / count;
  await engine.close({ hurry: true });
  return { each, lines: LINES * LINE_BYTES };
}

function full(): Promise<FootprintReport> {
  const records = join(folder, 'records');
  const line = (n: number): string => `line ${n} of many `.padEnd(LINE_BYTES, 'and more ');
  writeFileSync(
    records,
    Array.from({ length: LINES }, (_, n) => `{"type": "printf", "data": "${line(n)}\\n"}\n`).join(''),
  );
  return finished(printer(`exec cat ${records}`), FULL);
}

const MEASURES: Record<string, () => Promise<FootprintReport>> = {
  idle,
  running,
  small: () => finished(printer(`echo '{"type": "attached_probes", "data": {"probes": 1}}'`), SMALL),
  full,
};
const report = await MEASURES[process.argv[2] ?? '']?.();
process.stdout.write(JSON.stringify(report));
