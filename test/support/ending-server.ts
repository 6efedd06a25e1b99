import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { bpftracesOf, isAlive } from './processes.js';
import { ServerUnderTest } from './server.js';
import { until } from './until.js';

/** Its ending takes the kernel no time to speak of. */
export const TICKS = 'interval:ms:100 { @ = count(); }';
/** Compiling and attaching it takes a second or more. */
export const SLOW_START = Array.from(
  { length: 200 },
  (_, i) => `interval:ms:${1000 + i} { @a${i} = hist(rand); }`,
).join('\n');

/** A server at work, and the bpftrace processes it has. */
export interface Busy {
  server: ServerUnderTest;
  children: number[];
}

/** Two programs run, three wait. */
export async function busyServer(program = TICKS, env: NodeJS.ProcessEnv = {}): Promise<Busy> {
  const server = await ServerUnderTest.start(['--concurrency', '2'], { env });
  return orKilled(server, async () => {
    const statuses: string[] = [];
    for (let i = 0; i < 5; i++) {
      statuses.push((await server.result('exec_program', { program, timeout: 60 })).status);
    }
    assert.deepEqual(statuses, ['running', 'running', 'queued', 'queued', 'queued']);
    const children = bpftracesOf(server.pid).map(({ pid }) => pid);
    assert.equal(children.length, 2);
    return { server, children };
  });
}

/** Nothing runs, and a bpftrace stands by for the first program. */
export async function idleServer(env: NodeJS.ProcessEnv = {}): Promise<Busy> {
  const server = await ServerUnderTest.start([], { env });
  return orKilled(server, async () => {
    const children = await until('one stands by', 10_000, () => {
      const found = bpftracesOf(server.pid).map(({ pid }) => pid);
      return found.length === 1 ? found : undefined;
    });
    return { server, children };
  });
}

/** Two programs are starting, three wait. */
export async function startingServer(env: NodeJS.ProcessEnv = {}): Promise<Busy> {
  const server = await ServerUnderTest.start(['--concurrency', '2'], { env });
  // Unanswered: it would wait until they are attached. The answer may well be the end of the connection.
  for (let i = 0; i < 5; i++) server.call('exec_program', { program: SLOW_START }).catch(() => {});
  return orKilled(server, async () => {
    // Taken from this look: a process that becomes another program has no name for a moment.
    const children = await until('two processes', 10_000, () => {
      const found = bpftracesOf(server.pid).map(({ pid }) => pid);
      return found.length === 2 ? found : undefined;
    });
    const statuses = (await server.executions()).map(({ status }) => status).sort();
    assert.deepEqual(statuses, ['queued', 'queued', 'queued', 'starting', 'starting']);
    return { server, children };
  });
}

/** A test that fails leaves no server behind, which would keep the run from ending. */
export async function orKilled<T>(server: ServerUnderTest, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    server.process.kill('SIGKILL');
    throw error;
  }
}

/** How a server ended. */
export interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** From the act to the exit. */
  ms: number;
  /** Children that were not gone at the exit. */
  left: number[];
  /** The whole of its standard error, and those lines of it that are its log. */
  said: string;
  log: LogLine[];
}

interface LogLine {
  level: number;
  msg: string;
  why?: string;
  execution?: string;
  status?: string;
  endedBy?: string;
  reason?: string;
  message?: string;
  exitCode?: number;
}

/** Does `act` to a server and sees it end, within `boundMs`; nothing but JSON-RPC may have come out of it. */
export async function endBy({ server, children }: Busy, boundMs: number, act: () => unknown): Promise<End> {
  const { process: child } = server;
  const closed = once(child, 'close');
  const begun = performance.now();
  await act();
  await orKilled(server, () =>
    until('the server ends', boundMs, () => child.exitCode !== null || child.signalCode !== null),
  );
  const ms = Math.round(performance.now() - begun);
  const left = children.filter(isAlive);
  await closed;
  assert.deepEqual(server.strayOutput, []);
  const log = server.log
    .split('\n')
    .filter(line => line.startsWith('{"level"'))
    .map((line): LogLine => JSON.parse(line));
  return { code: child.exitCode, signal: child.signalCode, ms, left, said: server.log, log };
}

/** Every execution has its one line, all were stopped by the shutdown, and the running ones gave their maps. */
export function assertEndedInOrder({ code, signal, left, said, log }: End, why: RegExp): void {
  assert.deepEqual({ code, signal, left }, { code: 0, signal: null, left: [] });
  assert.equal(said.trim().split('\n').length, log.length, said);
  const ends = log.filter(({ msg }) => msg === 'execution');
  assert.equal(new Set(ends.map(({ execution }) => execution)).size, 5);
  assert.deepEqual(
    ends.map(({ status, endedBy, message, exitCode }) => [status, endedBy, message, exitCode]),
    [
      ...Array(3).fill(['stopped', 'shutdown', 'stopped before it began', undefined]),
      ...Array(2).fill(['stopped', 'shutdown', undefined, 0]),
    ],
  );
  assert.match(log.find(({ msg }) => msg === 'shutting down')?.why ?? '', why);
  assert.equal(log.at(-1)?.msg, 'ended');
  assert.deepEqual(
    log.filter(({ level }) => level > 30),
    [],
  );
}

const SIGKILL_BIT = 1n << 8n;
const PF_EXITING = 0x4;

/** Gone, or on its way with no return: killed, or tearing down already. */
export function isDying(pid: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const masks = [...status.matchAll(/^S(?:ig|hd)Pnd:\t([0-9a-f]+)$/gm)].map(([, mask]) =>
      BigInt(`0x${mask}`),
    );
    if (masks.some(mask => (mask & SIGKILL_BIT) !== 0n)) return true;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', , , , , , flags = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(state) || (Number(flags) & PF_EXITING) !== 0;
  } catch {
    return true;
  }
}

/** A table of how each way went. */
export class Ways {
  private readonly rows: string[][] = [['way', 'exit', 'ms', 'children left', 'all gone after ms']];

  /** Waits until no child is left, and takes down how it was. */
  async add(way: string, { children }: Busy, end: End, goneBoundMs: number): Promise<void> {
    const begun = performance.now();
    await until('every child is gone', goneBoundMs, () => !children.some(isAlive));
    const goneMs = end.left.length === 0 ? end.ms : end.ms + Math.round(performance.now() - begun);
    const exit = end.signal ?? String(end.code);
    this.rows.push([way, exit, String(end.ms), `${end.left.length} of ${children.length}`, String(goneMs)]);
  }

  get lines(): string[] {
    const widths = this.rows[0]?.map((_, i) => Math.max(...this.rows.map(row => row[i]?.length ?? 0))) ?? [];
    return this.rows.map(row => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  }
}
