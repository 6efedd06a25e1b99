import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type CallToolResult, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Result, Summary } from '../../src/results/result.js';
import { addToken } from '../../src/tokens/edit.js';
import { MAIN, ServerUnderTest } from '../support/server.js';
import { GREETING, SharedServer } from '../support/shared-server.js';
import { SudoUsers, whyNoSudo } from '../support/sudo-users.js';
import { until } from '../support/until.js';

const LONG = 'interval:ms:100 { @ticks = count(); }';
const SHORT = { program: 'interval:ms:50 { @ticks = count(); }', timeout: 1, wait: 30 };

/** A client that knows stdio only, with `bpftrace-mcp connect` as its server. */
async function connected(
  ...flags: string[]
): Promise<{ client: Client; transport: StdioClientTransport; said: () => string }> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'connect', ...flags],
    stderr: 'pipe',
  });
  let text = '';
  transport.stderr?.on('data', chunk => {
    text += chunk;
  });
  const client = new Client({ name: 'test', version: '0' });
  await client.connect(transport);
  return { client, transport, said: () => text };
}

async function call(
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
): Promise<CallToolResult> {
  return (await client.callTool({ name, arguments: args })) as CallToolResult;
}

function textOf({ content }: CallToolResult): string {
  return content.map(part => (part.type === 'text' ? part.text : '')).join('\n');
}

async function executions(client: Client): Promise<Summary[]> {
  const { structuredContent } = await call(client, 'list_executions');
  return (structuredContent as { executions: Summary[] }).executions;
}

/** Side by side: most of the time they wait. */
describe('connect', { concurrency: true }, () => {
  let server: SharedServer;
  before(async () => {
    server = await SharedServer.start();
  });
  after(() => server.close());

  test('everything comes through: results, progress, cancellation, subscriptions, tasks', async () => {
    const { client } = await connected('--unix', server.socket);
    const progress: string[] = [];
    const updated = new Set<string>();
    client.setNotificationHandler(
      ResourceUpdatedNotificationSchema,
      ({ params }) => void updated.add(params.uri),
    );
    const cut = new AbortController();
    const waiting = client.callTool(
      { name: 'exec_program', arguments: { program: LONG, timeout: 30, wait: 40 } },
      undefined,
      {
        signal: cut.signal,
        onprogress: ({ message }) => progress.push(message ?? ''),
      },
    );
    await until('progress is told', 20_000, () => progress.length > 0);
    const [running] = await executions(client);
    const uri = `bpftrace://executions/${running?.execution_id}`;
    await client.subscribeResource({ uri });
    cut.abort();
    await assert.rejects(waiting);
    await until(
      'its end is told',
      20_000,
      async () => updated.has(uri) && (await executions(client))[0]?.status === 'stopped',
    );
    const { contents } = await client.readResource({ uri });
    // On a busy machine it may have been stopped before its first tick.
    assert.match(JSON.stringify(contents), /stopped/);
    const kinds: string[] = [];
    const task = { name: 'exec_program', arguments: { program: SHORT.program, timeout: 1 } };
    for await (const { type } of client.experimental.tasks.callToolStream(task, undefined, { task: {} }))
      kinds.push(type);
    assert.deepEqual([kinds[0], kinds.at(-1)], ['taskCreated', 'result']);
    await client.close();
  });

  test('a call that is nested too deeply to be passed on is told so, and the next one is served', async () => {
    const child = spawn(process.execPath, [MAIN, 'connect', '--unix', server.socket], { stdio: 'pipe' });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', chunk => {
      said += chunk;
    });
    const exited = once(child, 'exit');
    const program = '['.repeat(400_000) + ']'.repeat(400_000);
    const deep = `"method":"tools/call","params":{"name":"exec_program","arguments":{"program":${program}}}`;
    for (const [line, answer] of [
      [JSON.stringify(GREETING), /"serverInfo"/],
      [`{"jsonrpc":"2.0","id":2,${deep}}`, /"id":2,.*invalid_argument: it is nested too deeply/],
      ['{"jsonrpc":"2.0","id":3,"method":"tools/list"}', /"list_probes"/],
    ] as const) {
      child.stdin.write(`${line}\n`);
      await until(`it answers: ${answer}`, 20_000, () => answer.test(said));
    }
    child.stdin.end();
    await exited;
  });

  test('when standard input ends, so do the session and its programs', async () => {
    const { client, transport } = await connected('--http', server.url);
    const { structuredContent } = await call(client, 'exec_program', { program: LONG, timeout: 60 });
    const { execution_id } = structuredContent as Result;
    await transport.close();
    await until('it is stopped', 20_000, () =>
      new RegExp(`"execution":"${execution_id}".*"stopped"`).test(server.log),
    );
    assert.match(server.log, /the client ended it/);
  });

  test('a server that is not there, or wants a token: the answer to initialize says so', async () => {
    await assert.rejects(
      connected('--unix', join(server.folder, 'none')),
      /no shared server can be reached at .*none/,
    );
    const tokens = join(server.folder, 'tokens');
    const token = addToken(tokens, { name: 'agent' });
    const strict = await SharedServer.start(['--tokens', tokens]);
    await assert.rejects(connected('--http', strict.url), /refuses \(401\).*--token-file/);
    const file = join(server.folder, 'token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    const { client } = await connected('--http', strict.url, '--token-file', file);
    const { structuredContent } = await call(client, 'exec_program', SHORT);
    assert.equal((structuredContent as Result).status, 'completed');
    await client.close();
    chmodSync(file, 0o644);
    await assert.rejects(connected('--http', strict.url, '--token-file', file));
    await strict.close();
  });

  test('it survives a restart of the server: what waited is told, and so is the next call; then all is as ever', async () => {
    const first = await SharedServer.start();
    const { client, said } = await connected('--unix', first.socket);
    const waiting = call(client, 'exec_program', { program: LONG, timeout: 60, wait: 50 });
    await until('it runs', 20_000, async () => (await executions(client))[0]?.status === 'running');
    // Killed: no farewell, no answer.
    first.process.kill('SIGKILL');
    const told = await waiting;
    assert.equal(told.isError, true);
    assert.match(textOf(told), /^connection_lost: .*executions, subscriptions and tasks of before are gone/);
    const away = await call(client, 'exec_program', SHORT);
    assert.match(textOf(away), /^connection_lost: .*(?:nobody|no shared server)/);
    const second = await SharedServer.start([], first.socket);
    const { structuredContent } = await call(client, 'exec_program', SHORT);
    assert.equal((structuredContent as Result).status, 'completed');

    // Nobody waits for anything while the server is restarted.
    const before = said().length;
    await second.close();
    // Were the next one there at once, the next call would meet it, and be told that it was lost while it waited.
    await until('it is noticed', 20_000, () => /can be reached/.test(said().slice(before)));
    const third = await SharedServer.start([], first.socket);
    const gone = await call(client, 'list_executions');
    assert.match(textOf(gone), /^connection_lost: .*this call was not made\nNext: make it again/);
    assert.equal((await executions(client)).length, 0);
    await client.close();
    await third.close();
    await first.close();
  });

  test('a server that hangs when it is greeted again: the call is told, and the next ones find it when it goes on', async () => {
    const first = await SharedServer.start();
    const { client } = await connected('--unix', first.socket);
    first.process.kill('SIGKILL');
    assert.equal((await call(client, 'list_executions')).isError, true);
    const second = await SharedServer.start([], first.socket);
    second.process.kill('SIGSTOP');
    const late = await call(client, 'list_executions');
    assert.match(
      textOf(late),
      /^connection_lost: no shared server can be reached at .*: it does not answer\n/,
    );
    second.process.kill('SIGCONT');
    // Who noticed the end of the first one decides whether a call is told of it yet.
    await until('it goes on', 20_000, async () => !(await call(client, 'list_executions')).isError);
    await client.close();
    await second.close();
    await first.close();
  });
});

const noUsers = whyNoSudo();
test('an unprivileged user traces through the socket, without sudo; another user may not', {
  skip: noUsers,
}, async t => {
  const users = new SudoUsers();
  t.after(() => users.remove());
  const [tracer, stranger] = [users.add('tracer'), users.add('stranger')];
  const socket = join(users.folder, 'socket');
  const server = await SharedServer.start(['--unix-group', tracer.name], socket);
  t.after(() => server.close());
  const { main, node } = users.installation(tracer);
  const client = await ServerUnderTest.start(['connect', '--unix', socket], {
    main,
    node,
    uid: tracer.uid,
    bare: true,
  });
  const result = await client.result('exec_program', SHORT);
  assert.equal(result.status, 'completed');
  assert.match((await client.call('bpf_info')).text, /privileges: root/);
  await client.close();

  const closed = join(users.folder, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  for (const [path, reason] of [
    [socket, /"error".*this user may not open .*mode 660/],
    [join(closed, 'socket'), /"error".*this user may not enter a folder on the way to/],
    [users.folder, /"error".*is no socket/],
  ] as const) {
    const child = spawn(node, [main, 'connect', '--unix', path], {
      uid: stranger.uid,
      gid: stranger.uid,
      stdio: 'pipe',
    });
    child.stdin.write(`${JSON.stringify(GREETING)}\n`);
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data', {
      signal: AbortSignal.timeout(30_000),
    });
    assert.match(line, reason);
    child.stdin.end();
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  }
});
