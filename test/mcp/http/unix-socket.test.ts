import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadConfig } from '../../../src/config.js';
import { MAIN } from '../../support/server.js';
import { GREETING, SharedServer } from '../../support/shared-server.js';

/** What a server says that does not start. */
function refusal(...flags: string[]): { status: number | null; said: string } {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'serve', '--log-level', 'silent', ...flags], {
    encoding: 'utf8',
    input: '',
    timeout: 60_000,
  });
  return { status, said: stderr };
}

describe('the Unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-socket-'));
  const path = join(folder, 'socket');
  after(() => rmSync(folder, { recursive: true }));

  test('mode and group are as asked for; it is gone when the server has ended', async () => {
    const server = await SharedServer.start(['--unix-mode', '600', '--unix-group', '65534'], path);
    const { mode, gid } = statSync(path);
    assert.deepEqual([(mode & 0o777).toString(8), gid], ['600', 65534]);
    await server.close();
    assert.equal(existsSync(path), false);
  });

  test('one that a killed server left behind is taken over; one that somebody listens on is not', async () => {
    const killed = await SharedServer.start([], path);
    killed.process.kill('SIGKILL');
    await killed.exited;
    assert.ok(lstatSync(path).isSocket());
    const server = await SharedServer.start([], path);
    const { status, said } = refusal('--unix', path);
    assert.equal(status, 2);
    assert.match(said, /another server listens on/);
    assert.equal((await server.post(GREETING, {}, 'unix')).status, 200);
    await server.close();
    await killed.close();
    assert.deepEqual(readdirSync(folder), []);
  });

  test('a server that ends leaves alone what is at its path by then: a successor, or a file', async () => {
    const first = await SharedServer.start([], path);
    rmSync(path);
    const second = await SharedServer.start([], path);
    await first.close();
    assert.equal((await second.post(GREETING, {}, 'unix')).status, 200);
    rmSync(path);
    writeFileSync(path, 'precious');
    await second.close();
    assert.equal(readFileSync(path, 'utf8'), 'precious');
    rmSync(path);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('of servers that start at once one has the path, and keeps it', async () => {
    const started = await Promise.allSettled([1, 2, 3].map(() => SharedServer.start([], path)));
    const [server, ...others] = started.flatMap(it => (it.status === 'fulfilled' ? [it.value] : []));
    const refused = started.flatMap(it => (it.status === 'rejected' ? [String(it.reason)] : []));
    try {
      assert.ok(server);
      assert.equal(others.length, 0);
      for (const reason of refused)
        assert.match(reason, /another server (listens|has just begun to listen) on/);
      assert.equal((await server.post(GREETING, {}, 'unix')).status, 200);
    } finally {
      for (const it of [server, ...others]) await it?.close();
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  test('a path as long as can be is served, whatever part of it is the name', async () => {
    const longest = 107 - Buffer.byteLength(folder) - 1;
    const deep = join(folder, 'd'.repeat(longest - 2));
    mkdirSync(deep);
    for (const long of [join(deep, 's'), join(folder, 's'.repeat(longest))]) {
      assert.equal(Buffer.byteLength(long), 107);
      const server = await SharedServer.start([], long);
      assert.equal((await server.post(GREETING, {}, 'unix')).status, 200);
      await server.close();
      assert.equal(existsSync(long), false);
    }
    assert.deepEqual(readdirSync(deep), []);
    rmSync(deep, { recursive: true });
    assert.deepEqual(readdirSync(folder), []);
  });

  test('whatever else is there is left alone', () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    const link = join(folder, 'link');
    symlinkSync(path, link);
    for (const other of [file, link, folder]) {
      const { status, said } = refusal('--unix', other);
      assert.equal(status, 2, other);
      assert.match(said, /is there and is no socket/);
      assert.ok(lstatSync(other));
    }
  });

  test('settings that would serve strangers, or nobody, are refused at the start', () => {
    for (const [given, reason] of [
      [{ http: '0.0.0.0:0' }, /beyond loopback nobody is served without a token/],
      [{ http: '[::]:0' }, /beyond loopback/],
      [{ http: 'trace.example.com:7077' }, /beyond loopback/],
      [{ http: '7077' }, /must be HOST:PORT/],
      [{ http: '127.0.0.1:65536' }, /must be HOST:PORT/],
      [{ unix: join(folder, 'x'.repeat(120)) }, /at most 107 bytes/],
      [{ unixMode: '9' }, /three octal digits/],
    ] as const) {
      assert.throws(() => loadConfig(given, {}), reason);
    }
    const open = join(folder, 'open');
    writeFileSync(open, '', { mode: 0o644 });
    for (const [flags, reason] of [
      [['--unix', path, '--unix-group', 'no-such-group'], /there is no group no-such-group/],
      [['--unix', join(folder, 'none', 'socket')], /can't be made: there is no folder .*none\n/],
      // Where one of two places can't be had, the other is given up.
      [['--http', '127.0.0.1:0', '--unix', folder], /is there and is no socket/],
      [['--http', '127.0.0.1:0', '--tokens', open], /mode 644/],
    ] as const) {
      const { status, said } = refusal(...flags);
      assert.equal(status, 2, flags.join(' '));
      assert.match(said, reason);
    }
  });
});
