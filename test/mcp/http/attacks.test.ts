import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { addToken, removeToken } from '../../../src/tokens/edit.js';
import { GREETING, POST_HEADERS, SharedServer } from '../../support/shared-server.js';
import { until } from '../../support/until.js';

const UNKNOWN_SESSION = '01234567-89ab-4def-8123-456789abcdef';
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

/** What a stranger may send to a real server over real sockets: each is refused, and the server is well afterwards. */
describe('attacks over HTTP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-attacks-'));
  const tokens = join(folder, 'tokens');
  const mine = addToken(tokens, { name: 'mine' });
  const others = addToken(tokens, { name: 'other' });
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  let server: SharedServer;
  let socketsBefore = 0;
  /** It takes ten seconds, so it goes on beside the others. */
  let dripped: SharedServer;
  let dripping: Promise<Taken[]>;
  const sockets = (): number => readdirSync(`/proc/${server.pid}/fd`).length;

  before(async () => {
    server = await SharedServer.start(['--tokens', tokens]);
    await server.greet(bearer(mine));
    socketsBefore = sockets();
    dripped = await SharedServer.start();
    dripping = drip(dripped);
  });
  after(async () => {
    await Promise.all([server.close(), dripped.close()]);
    rmSync(folder, { recursive: true });
  });

  /** Answers as ever, and holds no more connections than before. */
  async function isWell(): Promise<void> {
    const session = await server.greet(bearer(mine));
    const headers = { ...bearer(mine), 'Mcp-Session-Id': session };
    assert.equal((await server.post(LIST, headers)).status, 200);
    assert.equal((await server.ask({ method: 'DELETE', headers })).status, 200);
    await until('no connection is left', 20_000, () => sockets() <= socketsBefore);
  }

  const raw = (bytes: string): Promise<Taken> => rawTo(server, bytes);

  test('without a token, and with one that is none: 401, and which kind of token is wanted', async () => {
    const none = await server.post(GREETING);
    assert.equal(none.status, 401);
    assert.equal(none.headers['www-authenticate'], 'Bearer realm="bpftrace-mcp"');
    const lists = [
      `Bearer ${'x'.repeat(48)}`,
      'Bearer ',
      'Basic YTpi',
      mine,
      `Bearer ${mine}x`,
      `Bearer ${mine} ${mine}`,
    ];
    for (const authorization of lists) {
      const { status, headers } = await server.post(GREETING, { Authorization: authorization });
      assert.equal(status, 401, authorization);
      assert.match(headers['www-authenticate'] ?? '', /^Bearer realm="bpftrace-mcp", error="invalid_token"/);
    }
    await isWell();
  });

  test('a token that was removed, or has expired: refused at once, and its session is gone', async () => {
    const brief = addToken(tokens, { name: 'brief' });
    const session = await server.greet(bearer(brief));
    const stream = await server.stream({ ...bearer(brief), 'Mcp-Session-Id': session });
    assert.equal(stream.statusCode, 200);
    removeToken(tokens, 'brief');
    assert.equal((await server.post(LIST, { ...bearer(brief), 'Mcp-Session-Id': session })).status, 401);
    // Its stream of notifications does not live on.
    stream.resume();
    await once(stream, 'close');
    const over = addToken(tokens, { name: 'over', expires: new Date(Date.now() - 1000).toISOString() });
    const { status, headers } = await server.post(GREETING, bearer(over));
    assert.equal(status, 401);
    assert.match(headers['www-authenticate'] ?? '', /expired/);
    await isWell();
  });

  test('a token file that is no longer right lets nobody in until it is', async () => {
    const line = { name: 'broken', sha256: 'short' };
    const before = addToken(tokens, { name: 'before' });
    writeFileSync(tokens, `${JSON.stringify(line)}\n`, { flag: 'a' });
    assert.equal((await server.post(GREETING, bearer(before))).status, 401);
    await until('it is told', 5000, () => /cannot be used: nobody is let in/.test(server.log));
    const whole = without(tokens, 'broken');
    writeFileSync(tokens, whole);
    assert.equal((await server.post(GREETING, bearer(before))).status, 200);
    await isWell();
  });

  for (const [name, headers] of [
    ['an evil Origin', { Origin: 'http://evil.example' }],
    ['an Origin of this host on another port', { Origin: 'http://127.0.0.1:1' }],
    ['a hidden Origin', { Origin: 'null' }],
    ['an evil Host', { Host: 'evil.example' }],
    [
      'DNS rebinding: the same evil name as Host and Origin',
      { Host: 'evil.example:PORT', Origin: 'http://evil.example:PORT' },
    ],
    ['a Host that only begins like loopback', { Host: '127.0.0.1.evil.example' }],
  ] as const) {
    test(`${name}: 403, whatever the method`, async () => {
      const sent = Object.fromEntries(
        Object.entries({ ...headers, ...bearer(mine) }).map(([key, value]) => [
          key,
          value.replace('PORT', String(server.port)),
        ]),
      );
      assert.equal((await server.post(GREETING, sent)).status, 403);
      for (const method of ['GET', 'DELETE', 'OPTIONS']) {
        assert.equal((await server.ask({ method, headers: sent })).status, 403, method);
      }
    });
  }

  test('its own page, by each of its names, is served', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST']) {
      const host = `${name}:${server.port}`;
      const { status } = await server.post(GREETING, {
        ...bearer(mine),
        Host: host,
        Origin: `http://${host}`,
      });
      assert.equal(status, 200, name);
    }
  });

  test("another client's session: unknown, as one that never was", async () => {
    const theirs = await server.greet(bearer(others));
    const answers = [];
    for (const session of [theirs, UNKNOWN_SESSION]) {
      const headers = { ...bearer(mine), 'Mcp-Session-Id': session };
      answers.push(await server.post(LIST, headers));
      answers.push(await server.ask({ method: 'GET', headers: { ...headers, Accept: 'text/event-stream' } }));
      answers.push(await server.ask({ method: 'DELETE', headers }));
    }
    for (const { status, body } of answers) {
      assert.equal(status, 404);
      assert.equal(body, answers[0]?.body);
    }
    // Over the socket, too, where nobody had to show a token.
    assert.equal((await server.post(LIST, { 'Mcp-Session-Id': theirs }, 'unix')).status, 404);
    const own = { ...bearer(others), 'Mcp-Session-Id': theirs };
    assert.equal((await server.post(LIST, own)).status, 200);
    await isWell();
  });

  test('messages that are none: each with its status', async () => {
    const session = await server.greet(bearer(mine));
    const own = { ...bearer(mine), 'Mcp-Session-Id': session };
    const cases: [string, number, unknown, Record<string, string>?][] = [
      ['malformed JSON', 400, '{"jsonrpc":'],
      ['no JSON at all', 400, 'hello'],
      ['an empty body', 400, ''],
      ['JSON that is no message', 400, { hello: 1 }],
      ['nested beyond reason', 400, `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
      ['a batch', 400, [LIST, LIST], { 'Mcp-Protocol-Version': '2025-11-25' }],
      ['an empty batch', 400, []],
      ['a batch of too many', 400, Array(101).fill(LIST)],
      ['a protocol nobody speaks', 400, LIST, { 'Mcp-Protocol-Version': '1999-01-01' }],
      ['another content type', 415, LIST, { 'Content-Type': 'text/plain' }],
      ['what only contains JSON', 415, LIST, { 'Content-Type': 'text/plain; a=application/json' }],
      ['an answer that is not accepted', 406, LIST, { Accept: 'text/html' }],
      ['greeted twice', 400, GREETING],
    ];
    for (const [name, status, message, headers] of cases) {
      assert.equal((await server.post(message, { ...own, ...headers })).status, status, name);
    }
    // The last protocol with batches has them.
    const batch = await server.post([LIST, { ...LIST, id: 3 }], own);
    assert.equal(batch.status, 200);
    await isWell();
  });

  test('arguments in hundreds of thousands of others: told as wrong, whatever was asked', async t => {
    // Its calls have a bpftrace stand by, whose pipes are not to be counted as connections.
    const asked = await SharedServer.start();
    t.after(() => asked.close());
    const headers = { 'Mcp-Session-Id': await asked.greet() };
    const lists = '['.repeat(400_000) + ']'.repeat(400_000);
    const objects = `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`;
    for (const [params, shown] of [
      [`"name":"exec_program","arguments":{"program":${lists}}`, '[[["…"]]]'],
      [`"name":"get_result","arguments":{"execution_id":${objects}}`, '{"a":{"a":{"a":"…"}}}'],
      [`"name":"exec_program","arguments":{"program":${lists}},"task":{"ttl":1000}`, '[[["…"]]]'],
    ] as const) {
      const call = `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{${params}}}`;
      const { status, body } = await asked.post(call, headers);
      assert.equal(status, 200);
      assert.ok(body.includes('invalid_argument: '), body);
      assert.ok(body.includes(`(got ${JSON.stringify(shown).slice(1, -1)})`), body);
      assert.doesNotMatch(body, /internal|call stack/);
    }
    assert.equal((await asked.post(LIST, headers)).status, 200);
  });

  test('no session, and methods and paths that are none', async () => {
    const headers = bearer(mine);
    assert.equal((await server.post(LIST, headers)).status, 400);
    assert.equal(
      (await server.ask({ method: 'GET', headers: { ...headers, Accept: 'text/event-stream' } })).status,
      400,
    );
    assert.equal((await server.ask({ method: 'DELETE', headers })).status, 400);
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'TRACE']) {
      assert.equal((await server.ask({ method, headers })).status, 405, method);
    }
    for (const path of ['/', '/mcp/', '/../mcp', '/etc/passwd', '//mcp']) {
      assert.equal((await server.ask({ path, headers })).status, 404, path);
    }
    await isWell();
  });

  test('a body that is too long, declared, chunked, or without a token: refused before it is read', async () => {
    const much = 'x'.repeat(3_000_000);
    assert.equal((await server.post(much, bearer(mine))).status, 413);
    assert.equal((await server.post(much, { ...bearer(mine), 'Transfer-Encoding': 'chunked' })).status, 413);
    assert.equal((await server.post(much)).status, 401);
    const declared = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${mine}\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n`;
    const { answer, ms } = await raw(declared);
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.ok(ms < 20_000);
    const expecting = await raw(declared.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
    assert.match(expecting.answer, /^HTTP\/1\.1 413 /);
    await isWell();
  });

  test('headers without end, by size and by number: 431', async () => {
    const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\n';
    assert.match((await raw(`${head}X: ${'x'.repeat(100_000)}`)).answer, /^HTTP\/1\.1 431 /);
    assert.match((await raw(head + 'X-A: b\r\n'.repeat(10_000))).answer, /^HTTP\/1\.1 431 /);
    assert.match((await raw('no HTTP at all\r\n\r\n')).answer, /^HTTP\/1\.1 400 /);
    // Two lengths, or a length and chunks: what one reader takes for a body, another takes for a request.
    const smuggled = `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`;
    assert.match((await raw(smuggled)).answer, /^HTTP\/1\.1 400 /);
    await isWell();
  });

  test('those who send drop by drop are cut off', async () => {
    for (const { answer, ms } of await dripping) {
      assert.match(answer, /^(?:HTTP\/1\.1 408 |$)/);
      assert.ok(ms < 60_000, `${ms} ms`);
    }
    assert.equal((await dripped.post(GREETING)).status, 200);
  });

  test('more connections than are allowed: the others live on', async () => {
    const few = await SharedServer.start(['--max-connections', '8']);
    const silent = Array.from({ length: 30 }, () => connect(few.port, '127.0.0.1').on('error', () => {}));
    await until('most are closed', 10_000, () => silent.filter(socket => socket.destroyed).length >= 22);
    assert.equal((await few.post(GREETING, POST_HEADERS, 'unix')).status, 200);
    for (const socket of silent) socket.destroy();
    await until('there is room again', 10_000, async () => {
      return (await few.post(GREETING).catch(() => undefined))?.status === 200;
    });
    await few.close();
  });

  test('nothing of all that is in the log but what an operator wants to know; no token is', () => {
    assert.ok(!server.log.includes(mine) && !server.log.includes(others));
    assert.doesNotMatch(server.log, /"level":50(?!.*cannot be used)/);
  });
});

interface Taken {
  answer: string;
  /** Until the server closed the connection. */
  ms: number;
}

/** Raw bytes on a connection; all that comes back until the server closes it. */
function rawTo(server: SharedServer, bytes: string, drip?: { every: string; ms: number }): Promise<Taken> {
  return new Promise(resolve => {
    const begun = performance.now();
    const socket = connect(server.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', chunk => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.write(bytes);
    const timer = drip && setInterval(() => socket.write(drip.every), drip.ms);
    socket.once('end', () => socket.end());
    socket.once('close', () => {
      clearInterval(timer);
      resolve({ answer, ms: performance.now() - begun });
    });
  });
}

/** Headers without end, a connection on which nothing is said, and a body without end. */
function drip(server: SharedServer): Promise<Taken[]> {
  const head = 'POST /mcp HTTP/1.1\r\nHost: localhost\r\n';
  const body = `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
  return Promise.all([
    ...Array.from({ length: 50 }, () => rawTo(server, head, { every: 'X-A: b\r\n', ms: 500 })),
    rawTo(server, '', { every: '', ms: 500 }),
    rawTo(server, body, { every: 'x', ms: 500 }),
  ]);
}

function without(path: string, name: string): string {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => !line.includes(`"${name}"`))
    .join('\n');
}
