import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createMCPClient } from '@ai-sdk/mcp';
import { addToken } from '../../../src/tokens/edit.js';
import { repositoryRoot } from '../../support/fixtures.js';
import { SharedServer } from '../../support/shared-server.js';

const inspector = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/inspector-cli/build/index.js',
);
const SUITE = join(repositoryRoot(), 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

const PASSES = [
  'server-initialize',
  'logging-set-level',
  'ping',
  'tools-list',
  'server-sse-polling',
  'server-sse-multiple-streams',
  'resources-list',
  'prompts-list',
  'dns-rebinding-protection',
];

/** Each names what it calls; nothing else in the suite is left out. */
const FIXTURE_TOOL =
  'calls a tool of a fixture server by name, such as test_simple_text; bpftrace-mcp has tools of its own';
const FIXTURE_RESOURCE = 'reads or subscribes to a resource of a fixture server, such as test://static-text';
const FIXTURE_PROMPT = 'gets a prompt of a fixture server by name, such as test_simple_prompt';
const CANNOT_APPLY: Record<string, string> = {
  'completion-complete': 'the server offers no completions',
  'tools-call-simple-text': FIXTURE_TOOL,
  'tools-call-image': FIXTURE_TOOL,
  'tools-call-audio': FIXTURE_TOOL,
  'tools-call-embedded-resource': FIXTURE_TOOL,
  'tools-call-mixed-content': FIXTURE_TOOL,
  'tools-call-with-logging': FIXTURE_TOOL,
  'tools-call-error': FIXTURE_TOOL,
  'tools-call-with-progress': FIXTURE_TOOL,
  'tools-call-sampling': FIXTURE_TOOL,
  'tools-call-elicitation': FIXTURE_TOOL,
  'json-schema-2020-12': FIXTURE_TOOL,
  'elicitation-sep1034-defaults': FIXTURE_TOOL,
  'elicitation-sep1330-enums': FIXTURE_TOOL,
  'resources-read-text': FIXTURE_RESOURCE,
  'resources-read-binary': FIXTURE_RESOURCE,
  'resources-templates-read': FIXTURE_RESOURCE,
  'resources-subscribe': FIXTURE_RESOURCE,
  'resources-unsubscribe': FIXTURE_RESOURCE,
  'prompts-get-simple': FIXTURE_PROMPT,
  'prompts-get-with-args': FIXTURE_PROMPT,
  'prompts-get-embedded-resource': FIXTURE_PROMPT,
  'prompts-get-with-image': FIXTURE_PROMPT,
};

const PROGRAM = 'interval:ms:100 { @ticks = count(); }';

/** Side by side: most of the time they wait. */
describe('clients of others over HTTP', { concurrency: true }, () => {
  test('the official conformance suite: what passes, and why the rest cannot apply', async t => {
    const server = await SharedServer.start();
    t.after(() => server.close());
    const args = [SUITE, 'server', '--url', server.url, '--suite', 'all'];
    // It leaves a folder of results where it runs.
    const child = spawn(process.execPath, args, { cwd: server.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', chunk => {
        said += chunk;
      });
    }
    await once(child, 'close');
    const outcomes = [...said.matchAll(/^(✓|✗) ([\w-]+): /gm)].map(([, mark, name = '']) => ({
      name,
      passed: mark === '✓',
    }));
    const named = (passed: boolean) =>
      outcomes
        .filter(one => one.passed === passed)
        .map(({ name }) => name)
        .sort();
    assert.deepEqual(named(true), [...PASSES].sort(), said);
    assert.deepEqual(named(false), Object.keys(CANNOT_APPLY).sort());
    const reasons = new Set(Object.values(CANNOT_APPLY)).size;
    t.diagnostic(
      `${PASSES.length} scenarios pass; ${outcomes.length - PASSES.length} cannot apply, for ${reasons} reasons`,
    );
  });

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
