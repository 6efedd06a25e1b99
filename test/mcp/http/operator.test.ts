import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { findExecutable } from '../../../src/privilege/executable.js';
import { addToken, removeToken } from '../../../src/tokens/edit.js';
import { BPFTRACE } from '../../support/server.js';
import { SharedServer } from '../../support/shared-server.js';
import { until } from '../../support/until.js';

const MARK = 'a_text_of_the_caller';
const PROGRAM = `BEGIN { @${MARK} = 1; printf("one\\n"); printf("two\\n"); exit(); }`;

type Samples = Map<string, number>;

/** By name and labels, as they stand there. */
function samplesOf(text: string): Samples {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map(line => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

describe('what an operator asks a shared server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-operator-'));
  const [tokens, audit, bpftrace] = ['tokens', 'audit.log', 'bpftrace'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const token = addToken(tokens, { name: 'first' });
  const here = Object.values(networkInterfaces())
    .flat()
    .find(address => address?.family === 'IPv4' && !address.internal)?.address;
  let server: SharedServer;
  let client: Client;

  before(async () => {
    writeFileSync(bpftrace, `#!/bin/sh\nexec ${findExecutable(BPFTRACE, process.env)} "$@"\n`, {
      mode: 0o755,
    });
    const flags = ['--tokens', tokens, '--audit-log', audit, '--bpftrace', bpftrace, '--http', '0.0.0.0:0'];
    server = await SharedServer.start(flags);
    server.url = server.url.replace('0.0.0.0', '127.0.0.1');
    ({ client } = await server.client(token));
  });
  after(async () => {
    await client.close();
    assert.equal(await server.close(), 0);
    rmSync(folder, { recursive: true });
  });

  const call = (args: Record<string, unknown>): Promise<CallToolResult> =>
    client.callTool({ name: 'exec_program', arguments: { wait: 50, ...args } }) as Promise<CallToolResult>;
  const metrics = async (): Promise<Samples> =>
    samplesOf((await server.ask({ path: '/metrics', over: 'unix' })).body);

  test('/healthz: it lives; other methods are refused', async () => {
    const { status, body } = await server.ask({ path: '/healthz' });
    assert.deepEqual([status, JSON.parse(body)], [200, { status: 'ok' }]);
    assert.deepEqual((await server.ask({ path: '/healthz', method: 'HEAD' })).body, '');
    const { status: refused, headers } = await server.ask({ path: '/healthz', method: 'POST' });
    assert.deepEqual([refused, headers.allow], [405, 'GET, HEAD']);
  });

  test('/readyz: programs run, or why not', async () => {
    const ready = await server.ask({ path: '/readyz' });
    assert.deepEqual([ready.status, JSON.parse(ready.body)], [200, { ready: true }]);
    renameSync(bpftrace, `${bpftrace}.gone`);
    const { status, body } = await server.ask({ path: '/readyz', over: 'unix' });
    assert.equal((await metrics()).get('bpftrace_mcp_ready'), 0);
    renameSync(`${bpftrace}.gone`, bpftrace);
    const { ready: isReady, missing } = JSON.parse(body);
    assert.deepEqual([status, isReady, missing.length, missing[0].code], [503, false, 1, 'no_bpftrace']);
    assert.match(missing[0].message, /bpftrace was not found/);
    assert.match(missing[0].next, /doctor --fix/);
    assert.equal((await server.ask({ path: '/readyz' })).status, 200);
  });

  test('/metrics: what happened is counted once, and nothing of a caller is in it', async () => {
    const before = await metrics();
    await call({ program: PROGRAM });
    await call({ program: `BEGIN { @ = $never_set_${MARK}; }` });
    assert.equal((await call({ program: `BEGIN { cat("/etc/${MARK}"); }` })).isError, true);
    const { body, headers } = await server.ask({ path: '/metrics' });
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
    const now = samplesOf(body);
    const grown = (name: string): number => (now.get(name) ?? 0) - (before.get(name) ?? 0);
    const counts: Record<string, number> = {
      'bpftrace_mcp_submissions_total{kind="run",decision="admitted"}': 2,
      'bpftrace_mcp_submissions_total{kind="run",decision="policy_denied"}': 1,
      'bpftrace_mcp_executions_total{status="completed",ended_by="exit",reason=""}': 1,
      'bpftrace_mcp_executions_total{status="failed",ended_by="failure",reason="compile_failed"}': 1,
      bpftrace_mcp_execution_wait_seconds_count: 2,
      bpftrace_mcp_execution_run_seconds_count: 2,
      bpftrace_mcp_lines_total: 2,
      bpftrace_mcp_results: 2,
      // Each submission, and the outcomes of two.
      bpftrace_mcp_audit_lines_total: 5,
    };
    assert.deepEqual(Object.fromEntries(Object.keys(counts).map(name => [name, grown(name)])), counts);
    assert.equal(now.get('bpftrace_mcp_sessions'), 1);
    assert.equal(now.get('bpftrace_mcp_ready'), 1);
    for (const name of ['queue_length', 'running', 'clients'])
      assert.equal(now.get(`bpftrace_mcp_${name}`), 0);
    for (const name of [
      'bpftrace_mcp_slots',
      'bpftrace_mcp_worker_threads',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      assert.ok((now.get(name) ?? 0) > 0, name);
    assert.ok((now.get('process_resident_memory_bytes') ?? 0) > 2 ** 20);
    assert.doesNotMatch(body, new RegExp(`${MARK}|first|token`));
  });

  test('/metrics: whoever asks from elsewhere needs a token', async t => {
    const bearer = { Authorization: `Bearer ${token}` };
    const forwarded = { 'X-Forwarded-For': '192.0.2.1' };
    assert.equal((await server.ask({ path: '/metrics', headers: forwarded })).status, 401);
    assert.equal((await server.ask({ path: '/metrics', headers: { ...forwarded, ...bearer } })).status, 200);
    if (here === undefined) {
      t.diagnostic('this machine has no address but loopback: only a proxy was tried');
      return;
    }
    assert.equal((await server.ask({ path: '/metrics', host: here })).status, 401);
    assert.equal((await server.ask({ path: '/metrics', host: here, headers: bearer })).status, 200);
    assert.equal((await server.ask({ path: '/readyz', host: here })).status, 200);
    assert.ok(((await metrics()).get('bpftrace_mcp_http_refusals_total{status="401"}') ?? 0) >= 2);
  });

  test('SIGHUP: tokens and the audit file are read again, and it is said what changed', async () => {
    const reloads = (): { level: number; tokens: object; audit: object }[] =>
      server.log
        .split('\n')
        .filter(line => line.includes('"msg":"reloaded"'))
        .map(line => JSON.parse(line));
    const reload = async () => {
      const before = reloads().length;
      process.kill(server.pid, 'SIGHUP');
      await until('it has reloaded', 30_000, () => reloads().length > before);
      return reloads().at(-1);
    };
    addToken(tokens, { name: 'second' });
    renameSync(audit, `${audit}.1`);
    const { level, tokens: change } = (await reload()) ?? {};
    assert.deepEqual([level, change], [30, { tokens: 2, added: ['second'], removed: [], changed: [] }]);
    assert.match(readFileSync(audit, 'utf8'), /^\{"time":"[^"]+","event":"reopened","server":\d+\}\n$/);
    removeToken(tokens, 'second');
    chmodSync(tokens, 0o644);
    const broken = await reload();
    chmodSync(tokens, 0o600);
    assert.equal(broken?.level, 50);
    assert.match(JSON.stringify(broken?.tokens), /"tokens":0,.*"removed":\["first","second"\].*chmod 600 it/);
    assert.deepEqual((await reload())?.tokens, { tokens: 1, added: ['first'], removed: [], changed: [] });
    assert.ok(existsSync(server.socket));
  });
});
