import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { BPFTRACE, MAIN } from '../support/server.js';

const inspector = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/inspector-cli/build/index.js',
);

/** One call of the MCP Inspector's command line: it starts the server, asks once and prints the answer as JSON. */
async function inspect(method: string, ...args: string[]): Promise<Record<string, unknown>> {
  // Settings by variable: the Inspector takes flags that it knows by name for its own.
  const env = { ...process.env, BPFTRACE_MCP_BPFTRACE: BPFTRACE, BPFTRACE_MCP_LOG_LEVEL: 'silent' };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [inspector, process.execPath, MAIN, '--method', method, ...args],
    { timeout: 60_000, env },
  );
  return JSON.parse(stdout);
}

describe('the MCP Inspector', () => {
  test('lists the tools', async () => {
    const { tools } = await inspect('tools/list');
    const names = (tools as { name: string }[]).map(tool => tool.name);
    for (const name of ['list_probes', 'exec_program', 'get_result']) assert.ok(names.includes(name), name);
  });

  test('runs a program to its deadline in one call', async () => {
    const reply = await inspect(
      'tools/call',
      ...['--tool-name', 'exec_program'],
      ...['--tool-arg', 'program=interval:ms:100 { @ticks = count(); }'],
      ...['--tool-arg', 'timeout=1'],
      ...['--tool-arg', 'wait=20'],
    );
    const result = reply.structuredContent as {
      status: string;
      ended_by: string;
      maps: { name: string; value: number }[];
    };
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline']);
    assert.equal(result.maps[0]?.name, '@ticks');
    assert.ok(Number(result.maps[0]?.value) >= 8);
  });
});
