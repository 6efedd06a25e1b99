import assert from 'node:assert/strict';
import type { Result } from '../../src/results/result.js';
import { bpftracesOf } from '../support/processes.js';
import type { Reply, ServerUnderTest } from '../support/server.js';
import type { Recorded } from './programs.js';

/** What one use of a program came to: its result, its text, and what snapshots showed. */
export interface Told {
  result: Result;
  text: string;
  snapshots: unknown[];
}

/** Calls beside programs, whose answers are compared too. */
const QUESTIONS: readonly [tool: string, args: Record<string, unknown>][] = [
  ['list_probes', {}],
  ['list_probes', { filter: 'open file' }],
  ['list_probes', { filter: 't:sched:sched_sw*', details: true }],
  ['list_probes', { filter: 'struct sched_entity' }],
  ['list_helpers', { filter: 'time' }],
  ['validate_program', { program: 'tracepoint:sched:sched_swich { @ = count(); }' }],
  ['validate_program', { program: 'interval:s:1 { @ = count(); }' }],
  ['exec_program', { program: ' ' }],
];

export async function use(server: ServerUnderTest, { name, ...recorded }: Recorded): Promise<Told> {
  const { stopAtLine, snapshots = 0, kill, ...args } = recorded;
  const first = await server.result('exec_program', args);
  const id = first.execution_id;
  const shown: unknown[] = [];
  for (let i = 0; i < snapshots; i++) {
    const { maps, snapshot_at, no_snapshot } = await server.result('get_result', {
      execution_id: id,
      snapshot: true,
    });
    shown.push({ maps, snapshot_at, no_snapshot });
  }
  const lines = stopAtLine ?? (kill ? 1 : 0);
  for (let total = 0; total < lines; ) {
    const result = await server.result('get_result', { execution_id: id, offset: total, wait: 20 });
    total = result.next_offset;
    if (result.ended_by) break;
  }
  if (stopAtLine) await server.result('stop_program', { execution_id: id });
  if (kill) for (const { pid } of bpftracesOf(server.pid)) process.kill(pid, 'SIGKILL');
  for (let ended = false; !ended; ) {
    const { lines_total: offset } = await server.result('get_result', { execution_id: id, limit: 0 });
    ended = Boolean((await server.result('get_result', { execution_id: id, offset, wait: 20 })).ended_by);
  }
  const reply = await server.call('get_result', { execution_id: id, max_bytes: 1_000_000, limit: 1000 });
  assert.equal(reply.isError, false, `${name}: ${reply.text}`);
  return { result: reply.structured as Result, text: reply.text, snapshots: shown };
}

/** All that a server tells, in the same order of calls. */
export async function talk(
  server: ServerUnderTest,
  programs: readonly Recorded[],
  atOnce: number,
): Promise<Map<string, Told>> {
  const told = new Map<string, Told>();
  const rest = programs.filter(({ kill }) => !kill);
  const next = async (): Promise<void> => {
    for (let one = rest.shift(); one; one = rest.shift()) told.set(one.name, await use(server, one));
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  // It kills every bpftrace there is.
  for (const one of programs.filter(({ kill }) => kill)) told.set(one.name, await use(server, one));
  return told;
}

/** But for ids, and for what says that it is a replay. */
export function comparable({ result, text, snapshots }: Told): object {
  const { execution_id: id, replayed: _replayed, ...rest } = result;
  return { rest, snapshots, text: text.replaceAll(id, 'ID').replace('; replayed from a recording', '') };
}

/** What is told beside programs. */
export async function askAll(server: ServerUnderTest): Promise<Reply[]> {
  const told: Reply[] = [];
  for (const [tool, args] of QUESTIONS) told.push(await server.call(tool, args));
  return told;
}

/** But for what says that it is a replay. */
export function unmarked({ isError, text, structured }: Reply): Reply {
  const { replayed: _replayed, ...rest } = structured ?? {};
  return {
    isError,
    text: text.replace('\nreplayed from a recording', ''),
    structured: structured && rest,
  };
}
