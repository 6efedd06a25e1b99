import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Result, Summary } from '../../src/results/result.js';
import { BPFTRACE, MAIN } from '../support/server.js';
import { until } from '../support/until.js';

const LONG = 'interval:ms:100 { @ticks = count(); printf("tick\\n"); }';

test('a cancelled exec_program stops its program, a cancelled get_result only its wait', async t => {
  const client = new Client({ name: 'test', version: '0' });
  const args = [MAIN, '--bpftrace', BPFTRACE, '--log-level', 'silent'];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  t.after(() => client.close());
  const executions = async (): Promise<Summary[]> => {
    const reply = await client.callTool({ name: 'list_executions', arguments: {} });
    return (reply.structuredContent as { executions: Summary[] }).executions;
  };
  const cancelled = (name: string, args: Record<string, unknown>, signal: AbortSignal) =>
    assert.rejects(client.callTool({ name, arguments: args }, undefined, { signal }));

  const first = new AbortController();
  const asked = cancelled('exec_program', { program: LONG, timeout: 30, wait: 30 }, first.signal);
  await until('it runs', 20_000, async () => (await executions())[0]?.status === 'running');
  first.abort();
  await asked;
  await until('it is stopped', 10_000, async () => (await executions())[0]?.status === 'stopped');

  const reply = await client.callTool({ name: 'exec_program', arguments: { program: LONG, timeout: 30 } });
  const { execution_id } = reply.structuredContent as Result;
  const second = new AbortController();
  const waiting = cancelled('get_result', { execution_id, offset: 0, wait: 30 }, second.signal);
  second.abort();
  await waiting;
  assert.equal((await executions())[0]?.status, 'running');
  const stopped = await client.callTool({ name: 'stop_program', arguments: { execution_id } });
  assert.equal((stopped.structuredContent as Result).status, 'stopped');
});
