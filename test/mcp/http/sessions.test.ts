import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once, setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type CallToolResult, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Result, Summary } from '../../../src/results/result.js';
import { addToken, removeToken } from '../../../src/tokens/edit.js';
import { residentMb } from '../../support/held.js';
import { ServerUnderTest } from '../../support/server.js';
import { GREETING, POST_HEADERS, SharedServer } from '../../support/shared-server.js';
import { until } from '../../support/until.js';

const LONG = 'interval:ms:100 { @ticks = count(); }';
const SHORT = 'interval:ms:50 { @ticks = count(); }';

async function call<T>(client: Client, name: string, args: Record<string, unknown> = {}): Promise<T> {
  const reply = (await client.callTool({ name, arguments: args })) as CallToolResult;
  if (reply.isError) throw new Error(JSON.stringify(reply.content));
  return reply.structuredContent as T;
}

async function executions(client: Client): Promise<Summary[]> {
  return (await call<{ executions: Summary[] }>(client, 'list_executions')).executions;
}

describe('sessions over HTTP and the Unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-sessions-'));
  const tokens = join(folder, 'tokens');
  const [a, b] = [addToken(tokens, { name: 'a' }), addToken(tokens, { name: 'b' })];
  const narrow = addToken(tokens, { name: 'narrow', policy: 'observe' });
  let server: SharedServer;
  before(async () => {
    const bounds = ['--reconnect-s', '1', '--policy', 'full'];
    server = await SharedServer.start(['--tokens', tokens, ...bounds]);
  });
  after(async () => {
    assert.equal(await server.close(), 0);
    rmSync(folder, { recursive: true });
  });

  test('clients on one engine: each its own executions; an id of another is unknown', async () => {
    const [one, other] = [await server.client(a), await server.client(b)];
    const [mine, theirs] = await Promise.all(
      [one, other].map(({ client }) =>
        call<Result>(client, 'exec_program', { program: SHORT, timeout: 1, wait: 30 }),
      ),
    );
    assert.equal(mine?.status, 'completed');
    assert.deepEqual(
      (await executions(one.client)).map(({ execution_id }) => execution_id),
      [mine?.execution_id],
    );
    await assert.rejects(
      call(one.client, 'get_result', { execution_id: theirs?.execution_id }),
      /unknown_execution/,
    );
    for (const { client, transport } of [one, other]) {
      await transport.terminateSession();
      await client.close();
    }
  });

  test('a session that is ended stops what was submitted in it; the next one of the same token finds the results', async () => {
    const first = await server.client(a);
    const second = await server.client(a);
    const { execution_id } = await call<Result>(first.client, 'exec_program', { program: LONG, timeout: 60 });
    const kept = await call<Result>(second.client, 'exec_program', { program: LONG, timeout: 60 });
    await first.transport.terminateSession();
    await first.client.close();
    await until('it has ended', 20_000, async () => {
      return (await executions(second.client)).some(
        one => one.execution_id === execution_id && one.status === 'stopped',
      );
    });
    const result = await call<Result>(second.client, 'get_result', { execution_id });
    assert.deepEqual([result.status, result.error_message], ['stopped', 'its client went away']);
    // What its other session submitted runs on.
    const still = (await executions(second.client)).find(one => one.execution_id === kept.execution_id);
    assert.equal(still?.status, 'running');
    await second.transport.terminateSession();
    await second.client.close();
  });

  test('a client that vanishes: its programs are stopped when it does not come back; if it does later, its session is there', async () => {
    const gone = await server.client(b);
    const { execution_id } = await call<Result>(gone.client, 'exec_program', { program: LONG, timeout: 60 });
    const session = gone.transport.sessionId ?? '';
    // Closes its connections and ends nothing, as a process that is killed does.
    await gone.client.close();
    const back = await server.client(b);
    assert.equal((await executions(back.client))[0]?.status, 'running');
    await until('it is stopped', 20_000, async () => {
      const found = (await executions(back.client)).find(one => one.execution_id === execution_id);
      return found?.status === 'stopped';
    });
    const headers = { Authorization: `Bearer ${b}`, 'Mcp-Session-Id': session };
    assert.equal((await server.post({ jsonrpc: '2.0', id: 9, method: 'ping' }, headers)).status, 200);
    await back.transport.terminateSession();
    await back.client.close();
  });

  test('a session without a connection ends after a while, one with a stream of notifications does not', async t => {
    const brief = await SharedServer.start(['--session-idle-s', '2']);
    t.after(() => brief.close());
    const [quiet, followed] = [await brief.greet(), await brief.greet()];
    const stream = await brief.stream({ 'Mcp-Session-Id': followed });
    await until('the quiet one has ended', 20_000, () => {
      return new RegExp(`"session":"${quiet.slice(0, 8)}".*it had no connection`).test(brief.log);
    });
    const ping = (session: string) =>
      brief.post({ jsonrpc: '2.0', id: 9, method: 'ping' }, { 'Mcp-Session-Id': session });
    assert.equal((await ping(quiet)).status, 404);
    assert.equal((await ping(followed)).status, 200);
    stream.destroy();
  });

  test('when there is no more room for sessions: 503; those whose client has gone make room', async t => {
    const small = await SharedServer.start(['--max-sessions', '2', '--reconnect-s', '0']);
    t.after(() => small.close());
    const [kept, left] = [await small.greet(), await small.greet()];
    assert.equal((await small.post(GREETING)).status, 503);
    const stream = await small.stream({ 'Mcp-Session-Id': left });
    stream.destroy();
    await until('there is room', 20_000, async () => (await small.post(GREETING)).status === 200);
    const ping = { jsonrpc: '2.0', id: 9, method: 'ping' };
    assert.equal((await small.post(ping, { 'Mcp-Session-Id': left })).status, 404);
    assert.equal((await small.post(ping, { 'Mcp-Session-Id': kept })).status, 200);
  });

  test('what was missed while the connection was broken is had afterwards', async () => {
    const headers = { Authorization: `Bearer ${a}`, 'Mcp-Protocol-Version': '2025-11-25' };
    const session = await server.greet({ Authorization: `Bearer ${a}` });
    const own = { ...headers, 'Mcp-Session-Id': session };
    const req = request({
      ...{ host: '127.0.0.1', port: server.port, path: '/mcp', method: 'POST', agent: false },
      headers: { ...POST_HEADERS, ...own },
    });
    req.on('error', () => {});
    const exec = { name: 'exec_program', arguments: { program: SHORT, timeout: 1, wait: 30 } };
    req.end(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: exec }));
    const [res] = await once(req, 'response');
    const [chunk] = await once(res.setEncoding('utf8'), 'data');
    const lastId = /^id: (.+)$/m.exec(chunk)?.[1] ?? '';
    res.on('error', () => {});
    req.destroy();
    // It comes back at once, and is answered on the new stream, which ends then.
    const early = await server.stream({ ...own, 'Last-Event-ID': lastId });
    assert.match(await textOf(early), /"id":7/);
    // And once more, when all has been said already.
    const late = await server.stream({ ...own, 'Last-Event-ID': lastId });
    assert.match(await textOf(late), /"status":"completed".*"id":7/);
    // Another session's events are nobody's here.
    const other = await server.greet({ Authorization: `Bearer ${a}` });
    const behind = async (id: string, session: string): Promise<[number | undefined, string]> => {
      const stream = await server.stream({ ...headers, 'Mcp-Session-Id': session, 'Last-Event-ID': id });
      if (stream.statusCode !== 200) return [stream.statusCode, await textOf(stream)];
      stream.destroy();
      return [200, ''];
    };
    const refused = async (id: string, session: string): Promise<void> => {
      const [status, text] = await behind(id, session);
      assert.equal(status, 400, id);
      assert.match(text, /nothing can come after the event .*list_executions/);
    };
    await refused(lastId, other);
    await refused(`${randomUUID()}~1`, session);
    await refused('_GET_stream~999999', session);
    assert.deepEqual(await behind('_GET_stream~0', other), [200, '']);
    // Its answer was had already.
    const ping = (id: number | string) => ({ jsonrpc: '2.0', id, method: 'ping' });
    const { body: had } = await server.post(ping(8), own);
    const ids = [...had.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id ?? '');
    assert.equal(ids.length, 2);
    assert.equal((await behind(ids[0] ?? '', session))[0], 200);
    await refused(ids[1] ?? '', session);
    // A session keeps 1000 events: then the first answer is gone.
    const old = { Authorization: `Bearer ${a}`, 'Mcp-Session-Id': session };
    for (let round = 0; round < 11; round++) {
      const batch = Array.from({ length: 100 }, (_, at) => ping(`${round}/${at}`));
      assert.equal((await server.post(batch, old)).status, 200);
    }
    await refused(lastId, session);
    assert.equal((await server.stream({ ...own, 'Last-Event-ID': 'nonsense' })).statusCode, 400);
  });

  test('a batch that was broken off goes on until its last answer', async () => {
    const own = { Authorization: `Bearer ${a}` };
    const headers = { ...POST_HEADERS, ...own, 'Mcp-Session-Id': await server.greet(own) };
    const req = request({ host: '127.0.0.1', port: server.port, path: '/mcp', method: 'POST', headers });
    req.on('error', () => {});
    const exec = { name: 'exec_program', arguments: { program: SHORT, timeout: 2, wait: 30 } };
    req.end(
      JSON.stringify([
        { jsonrpc: '2.0', id: 'first', method: 'ping' },
        { jsonrpc: '2.0', id: 'last', method: 'tools/call', params: exec },
      ]),
    );
    const [res] = await once(req, 'response');
    const [chunk] = await once(res.setEncoding('utf8'), 'data');
    const [, stream, number] = /^id: (\S+)~(\d+)$/m.exec(chunk) ?? [];
    assert.match(chunk, /"id":"first"/);
    res.on('error', () => {});
    req.destroy();
    const from = (event: number) => server.stream({ ...headers, 'Last-Event-ID': `${stream}~${event}` });
    const whole = await textOf(await from(Number(number) - 1));
    assert.match(whole, /"id":"first"[\s\S]*"status":"completed".*"id":"last"/);
    const rest = await textOf(await from(Number(number)));
    assert.doesNotMatch(rest, /"id":"first"/);
    assert.match(rest, /"id":"last"/);
  });

  test('cancellation, progress, subscriptions and tasks come through', async () => {
    const { client, transport } = await server.client(a);
    const updated: string[] = [];
    client.setNotificationHandler(
      ResourceUpdatedNotificationSchema,
      ({ params }) => void updated.push(params.uri),
    );
    const cut = new AbortController();
    const progress: number[] = [];
    const waiting = client.callTool(
      { name: 'exec_program', arguments: { program: LONG, timeout: 30, wait: 40 } },
      undefined,
      {
        signal: cut.signal,
        onprogress: ({ progress: seconds }) => progress.push(seconds),
      },
    );
    await until('progress is told', 20_000, () => progress.length > 0);
    const [running] = await executions(client);
    const uri = `bpftrace://executions/${running?.execution_id}`;
    await client.subscribeResource({ uri });
    cut.abort();
    await assert.rejects(waiting);
    await until('it is told that it has ended', 20_000, async () => {
      const now = (await executions(client)).find(one => one.execution_id === running?.execution_id);
      return updated.includes(uri) && now?.status === 'stopped';
    });
    const stream = client.experimental.tasks.callToolStream(
      { name: 'exec_program', arguments: { program: SHORT, timeout: 1 } },
      undefined,
      { task: { ttl: 60_000 } },
    );
    const kinds = [];
    for await (const { type } of stream) kinds.push(type);
    assert.equal(kinds[0], 'taskCreated');
    assert.equal(kinds.at(-1), 'result');
    await transport.terminateSession();
    await client.close();
  });

  test('cancelled requests are over: a session may cancel more than it may have at once, and nobody waits for their answers', async () => {
    const { client, transport } = await server.client(a);
    const { execution_id } = await call<Result>(client, 'exec_program', { program: LONG, timeout: 60 });
    // A session may have 256 at once.
    for (let batch = 0; batch < 5; batch++) {
      const cut = new AbortController();
      setMaxListeners(0, cut.signal);
      const waiting = Array.from({ length: 60 }, () =>
        client.callTool({ name: 'get_result', arguments: { execution_id, wait: 50 } }, undefined, {
          signal: cut.signal,
        }),
      );
      await call(client, 'list_executions');
      cut.abort();
      for (const outcome of await Promise.allSettled(waiting)) assert.equal(outcome.status, 'rejected');
    }
    assert.equal((await call<Result>(client, 'stop_program', { execution_id })).status, 'stopped');

    const own = { Authorization: `Bearer ${a}`, 'Mcp-Session-Id': transport.sessionId ?? '' };
    const headers = { ...POST_HEADERS, ...own, 'MCP-Protocol-Version': '2025-11-25' };
    const { execution_id: other } = await call<Result>(client, 'exec_program', { program: LONG });
    const ask = { name: 'get_result', arguments: { execution_id: other, wait: 50 } };
    const answering = server.post({ jsonrpc: '2.0', id: 'mine', method: 'tools/call', params: ask }, headers);
    await call(client, 'list_executions');
    const cancel = { method: 'notifications/cancelled', params: { requestId: 'mine' } };
    assert.equal((await server.post({ jsonrpc: '2.0', ...cancel }, headers)).status, 202);
    const { status, body } = await answering;
    assert.equal(status, 200);
    assert.match(body, /^id: \S+~\d+\ndata: \n\n$/);
    const again = { ...own, 'Last-Event-ID': /^id: (\S+)/.exec(body)?.[1] ?? '' };
    assert.equal((await server.stream(again)).statusCode, 405);
    await call(client, 'stop_program', { execution_id: other });
    await transport.terminateSession();
    await client.close();
  });

  test('an id that is being answered, a cancelled request of a batch, a session that has all it may have at once: nothing hangs', async () => {
    const own = {
      Authorization: `Bearer ${a}`,
      'Mcp-Session-Id': await server.greet({ Authorization: `Bearer ${a}` }),
    };
    const tool = (id: number, name: string, args: object) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: args },
    });
    const started = await server.post(tool(1, 'exec_program', { program: LONG, timeout: 60 }), own);
    const execution_id = /"execution_id":"([0-9a-f]+)"/.exec(started.body)?.[1];
    const waiting = (id: number) => tool(id, 'get_result', { execution_id, wait: 50 });
    const cancel = (requestId: number) => ({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId },
    });

    const one = server.post(waiting(2), own);
    await until('its id is taken', 10_000, async () => {
      const { status, body } = await server.post({ jsonrpc: '2.0', id: 2, method: 'ping' }, own);
      if (status === 400) assert.match(body, /the id 2 is being answered/);
      return status === 400;
    });
    assert.equal((await server.post(cancel(2), own)).status, 202);
    assert.equal((await one).status, 200);

    const { body } = await server.post([tool(3, 'list_executions', {}), waiting(4), cancel(4)], own);
    assert.match(body, /"id":3/);
    assert.match(body, /it was cancelled.*"id":4|"id":4.*it was cancelled/);

    const many = Array.from({ length: 256 }, (_, at) => server.post(waiting(100 + at), own));
    await until('it has all it may have', 20_000, async () => {
      return (await server.post({ jsonrpc: '2.0', id: 5, method: 'ping' }, own)).status === 429;
    });
    assert.equal((await server.post(cancel(100), own)).status, 202);
    await many[0];
    assert.equal((await server.ask({ method: 'DELETE', headers: own })).status, 200);
    await Promise.all(many);
  });

  test("a token's narrower policy holds for its client", async () => {
    const [wide, bound] = [await server.client(a), await server.client(narrow)];
    const program = 'BEGIN { cat("/etc/shadow"); exit(); }';
    assert.equal(
      (await call<Result>(wide.client, 'exec_program', { program, wait: 20 })).status,
      'completed',
    );
    await assert.rejects(call(bound.client, 'exec_program', { program }), /policy_denied/);
    const info = await call<{ policy: { profile: string } }>(bound.client, 'bpf_info');
    assert.equal(info.policy.profile, 'observe');
    for (const { client, transport } of [wide, bound]) {
      await transport.terminateSession();
      await client.close();
    }
  });

  test('over the socket each session is a client of its own', async () => {
    const [one, other] = [await server.greet({}, 'unix'), await server.greet({}, 'unix')];
    const tool = (name: string, args: object) => ({
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/call',
      params: { name, arguments: args },
    });
    const ran = await server.post(
      tool('exec_program', { program: SHORT, timeout: 1, wait: 30 }),
      { 'Mcp-Session-Id': one },
      'unix',
    );
    assert.match(ran.body, /"status":"completed"/);
    const listed = await server.post(tool('list_executions', {}), { 'Mcp-Session-Id': other }, 'unix');
    assert.match(listed.body, /"total":0/);
  });

  test('a token that is taken away stops its programs', async () => {
    const brief = addToken(tokens, { name: 'brief' });
    const { client } = await server.client(brief);
    const { execution_id } = await call<Result>(client, 'exec_program', { program: LONG, timeout: 60 });
    removeToken(tokens, 'brief');
    await until('it has ended', 20_000, () => {
      return new RegExp(`"execution":"${execution_id}".*"status":"stopped"`).test(server.log);
    });
    await client.close();
  });

  test('a client that reads nothing holds no more than its bound, and is given up', async () => {
    const headers = { Authorization: `Bearer ${a}` };
    const session = await server.greet(headers, 'unix');
    const own = { ...POST_HEADERS, ...headers, 'Mcp-Session-Id': session };
    const tool = (name: string, args: object) => ({
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/call',
      params: { name, arguments: args },
    });
    const line = `printf("${'y'.repeat(380)}\\n"); `;
    const program = `interval:ms:1 { ${line.repeat(20)} }`;
    const ran = await server.post(tool('exec_program', { program, timeout: 3, wait: 30 }), own, 'unix');
    const id = /"execution_id":"([0-9a-f]+)"/.exec(ran.body)?.[1];
    const before = residentMb(server.pid);
    const read = (id: number, execution: string) =>
      JSON.stringify({
        ...{ jsonrpc: '2.0', id, method: 'resources/read' },
        params: { uri: `bpftrace://executions/${execution}/output` },
      });
    // The kernel takes little of it for a Unix socket, and megabytes for TCP.
    const unread = Array.from({ length: 24 }, (_, at) => {
      const req = request({
        ...{ socketPath: server.socket, path: '/mcp', method: 'POST', agent: false, headers: own },
      });
      req.on('response', res => res.on('error', () => {}).pause());
      return req.on('error', () => {}).end(read(100 + at, id ?? ''));
    });
    await until('it is given up', 60_000, () => /does not read its answers/.test(server.log));
    const grown = residentMb(server.pid) - before;
    assert.ok(grown < 400, `${grown} MB more`);
    for (const req of unread) req.destroy();
    assert.equal((await server.post({ jsonrpc: '2.0', id: 9, method: 'ping' }, own)).status, 404);
  });
});

test('stdio and HTTP on one engine: each client its own; the end of standard input ends both', async () => {
  const stdio = await ServerUnderTest.start(['--http', '127.0.0.1:0', '--stdio', 'on']);
  const { execution_id } = await stdio.result('exec_program', { program: LONG, timeout: 60 });
  await until('it is told where', 10_000, () => /"http":"[^"]+"/.test(stdio.log));
  const url = new URL(/"http":"([^"]+)"/.exec(stdio.log)?.[1] ?? '');
  const client = new Client({ name: 'test', version: '0' });
  await client.connect(new StreamableHTTPClientTransport(url));
  assert.equal((await executions(client)).length, 0);
  await assert.rejects(call(client, 'stop_program', { execution_id }), /unknown_execution/);
  const { queue } = await call<{ queue: { running: number } }>(client, 'bpf_info');
  assert.equal(queue.running, 1);
  // Whoever waits when the server ends is answered.
  const waiting = call<Result>(client, 'exec_program', { program: LONG, timeout: 60, wait: 50 });
  await until('both run', 20_000, async () => (await executions(client))[0]?.status === 'running');
  const [{ code }, { status, ended_by }] = await Promise.all([stdio.close(), waiting]);
  assert.deepEqual([code, status, ended_by], [0, 'stopped', 'shutdown']);
  await client.close();
});

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}
