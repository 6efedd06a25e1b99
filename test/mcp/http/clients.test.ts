import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createMCPClient } from '@ai-sdk/mcp';
import { addToken } from '../../../src/tokens/edit.js';
import { SharedServer } from '../../support/shared-server.js';

const inspector = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/inspector-cli/build/index.js',
);
const PROGRAM = 'interval:ms:100 { @ticks = count(); }';

describe('clients of others over HTTP', () => {
  test("the MCP Inspector's command line, which sends no token", async t => {
    const server = await SharedServer.start();
    t.after(() => server.close());
    const call = ['--method', 'tools/call', '--tool-name', 'exec_program', '--tool-arg'];
    const all = [inspector, server.url, ...call, `program=${PROGRAM}`, 'timeout=1', 'wait=20'];
    const { stdout } = await promisify(execFile)(process.execPath, all, { timeout: 60_000 });
    const { status, maps } = JSON.parse(stdout).structuredContent;
    assert.deepEqual([status, maps[0].name], ['completed', '@ticks']);
  });

  test('@ai-sdk/mcp, with a token', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-clients-'));
    const tokens = join(folder, 'tokens');
    const headers = { Authorization: `Bearer ${addToken(tokens, { name: 'agent' })}` };
    const server = await SharedServer.start(['--tokens', tokens]);
    t.after(async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    });
    const client = await createMCPClient({ transport: { type: 'http', url: server.url, headers } });
    const { exec_program: exec } = await client.tools();
    const args = { program: PROGRAM, timeout: 1, wait: 20 };
    const reply = await exec?.execute(args, { toolCallId: 'test', messages: [] });
    assert.match(JSON.stringify(reply), /"status":"completed".*@ticks/);
    await client.close();
  });
});
