import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { BPFTRACE, MAIN } from '../support/server.js';

const INITIALIZE = {
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'early', version: '1' } },
};

/** A client that sends all it has before the server is there, and then goes, or stays until the answers have come. */
async function hasty(messages: object[], goesWithout: 'answers' | 'nothing') {
  const child = spawn(process.execPath, [MAIN, '--bpftrace', BPFTRACE, '--log-level', 'silent'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  child.stdin.write(messages.map(message => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join(''));
  if (goesWithout === 'answers') child.stdin.end();
  const wanted = messages.filter(message => 'id' in message).length;
  const replies: { id: number; result?: Record<string, unknown> }[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    replies.push(JSON.parse(line));
    if (replies.length === wanted) child.stdin.end();
  }
  const [code] = await gone;
  return { replies, code };
}

describe('a client that does not wait for the server', () => {
  test('has every message answered, in their order', async () => {
    const { replies, code } = await hasty(
      [
        INITIALIZE,
        { method: 'notifications/initialized' },
        { id: 1, method: 'ping' },
        { id: 2, method: 'tools/list' },
        { id: 3, method: 'tools/call', params: { name: 'list_executions', arguments: {} } },
      ],
      'nothing',
    );
    assert.deepEqual(
      replies.map(({ id }) => id),
      [0, 1, 2, 3],
    );
    for (const { id, result } of replies) assert.ok(result, `${id} has a result`);
    assert.equal(code, 0);
  });

  test('may be gone before it is served: the server ends all the same', async () => {
    const { replies, code } = await hasty([INITIALIZE, { method: 'notifications/initialized' }], 'answers');
    assert.deepEqual(
      replies.map(({ id }) => id),
      [0],
    );
    assert.equal(code, 0);
  });

  test('may ask for nothing at all', async () => {
    assert.deepEqual(await hasty([], 'answers'), { replies: [], code: 0 });
  });

  test('may ask before it has introduced itself', async () => {
    const { replies, code } = await hasty(
      [
        { id: 7, method: 'tools/list' },
        { ...INITIALIZE, id: 8 },
      ],
      'nothing',
    );
    assert.deepEqual(replies.map(({ id }) => id).sort(), [7, 8]);
    assert.equal(code, 0);
  });
});
