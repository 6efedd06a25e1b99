import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { type CallToolResult, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Result } from '../src/results/result.js';
import { bpftracesOf, isAlive } from './support/processes.js';
import { BPFTRACE, MAIN } from './support/server.js';
import { GREETING, SharedServer } from './support/shared-server.js';
import { until } from './support/until.js';

const BRIEF = 'interval:ms:100 { @brief = count(); }';
const LONG = 'interval:ms:100 { @long = count(); }';

describe('a server of many clients that is told to end', () => {
  test('a client over stdio beside them is told as well', async () => {
    const client = new Client({ name: 'test', version: '0' });
    const args = [
      MAIN,
      '--bpftrace',
      BPFTRACE,
      '--http',
      '127.0.0.1:0',
      '--stdio',
      'on',
      '--log-level',
      'silent',
    ];
    const transport = new StdioClientTransport({ command: process.execPath, args });
    const told = new Promise<unknown>(resolve => {
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => resolve(params.data));
    });
    await client.connect(transport);
    // It is loaded when it answers more than initialize.
    await client.listTools();
    const gone = new Promise<void>(resolve => {
      client.onclose = resolve;
    });
    process.kill(transport.pid ?? 0, 'SIGTERM');
    assert.match(String(await told), /shutting down: no more programs .* within 5 s/);
    await gone;
  });

  test('takes no more, drops what waits, lets end what runs; the next signals hurry it; each client is told', async () => {
    const server = await SharedServer.start(['--concurrency', '2', '--standby', '0', '--drain-s', '600']);
    const [one, two] = [await server.client(), await server.client()];
    const said: unknown[] = [];
    for (const { client } of [one, two]) {
      client.setNotificationHandler(
        LoggingMessageNotificationSchema,
        ({ params }) => void said.push(params.data),
      );
    }
    const exec = (client: Client, args: Record<string, unknown>): Promise<CallToolResult> =>
      client.callTool({ name: 'exec_program', arguments: args }) as Promise<CallToolResult>;
    const resultOf = ({ structuredContent }: CallToolResult): Result => structuredContent as Result;
    try {
      const brief = exec(one.client, { program: BRIEF, timeout: 5, wait: 50 });
      await until('the first runs', 30_000, () => bpftracesOf(server.pid).length === 1);
      const long = resultOf(await exec(two.client, { program: LONG, timeout: 60 }));
      assert.equal(long.status, 'running');
      const waiting = [one, two, two].map(({ client }, at) =>
        exec(client, { program: `${LONG} interval:ms:${500 + at} { @ = 1; }`, wait: 50 }),
      );
      await until('three wait', 30_000, async () => {
        const { body } = await server.ask({ path: '/metrics' });
        return /^bpftrace_mcp_queue_length 3$/m.test(body);
      });
      const children = bpftracesOf(server.pid).map(({ pid }) => pid);
      assert.equal(children.length, 2);

      process.kill(server.pid, 'SIGTERM');
      for (const dropped of await Promise.all(waiting)) {
        const { status, ended_by, error_message } = resultOf(dropped);
        assert.deepEqual(
          [status, ended_by, error_message],
          ['stopped', 'shutdown', 'stopped before it began: the server is shutting down'],
        );
      }
      await until('both are told', 30_000, () => said.length === 2);
      assert.match(String(said[0]), /shutting down: no more programs .* within 600 s/);
      const refused = await exec(two.client, { program: LONG });
      assert.equal(refused.isError, true);
      assert.match(
        JSON.stringify(refused.content),
        /^.*shutting_down: .* what runs is ended within (?:600|59\d) s/,
      );
      const { status: notNow, headers, body: why } = await server.post(GREETING);
      assert.deepEqual([notNow, headers['retry-after']], [503, '10']);
      assert.match(why, /shutting down/);
      const ready = await server.ask({ path: '/readyz' });
      assert.deepEqual([ready.status, JSON.parse(ready.body).missing[0].code], [503, 'shutting_down']);
      assert.equal((await server.ask({ path: '/healthz' })).status, 200);

      const ended = resultOf(await brief);
      assert.deepEqual(
        [ended.status, ended.ended_by, ended.maps[0]?.name],
        ['completed', 'deadline', '@brief'],
      );
      assert.equal(server.process.exitCode, null);
      // Who waits for the other one has its result when the next signal ends it.
      const asked = untilEnded(two.client, long.execution_id);
      process.kill(server.pid, 'SIGTERM');
      const stopped = await asked;
      assert.deepEqual([stopped.status, stopped.ended_by], ['stopped', 'shutdown']);
      assert.equal(stopped.maps[0]?.name, '@long');
      assert.equal(await server.exited, 0);
      assert.deepEqual(children.filter(isAlive), []);
    } finally {
      server.process.kill('SIGKILL');
      await Promise.all([one.client.close(), two.client.close()]);
      await server.close();
    }
  });
});

/** As an agent waits: a call that comes back with news only is made again. */
async function untilEnded(client: Client, execution_id: string): Promise<Result> {
  for (;;) {
    const args = { execution_id, wait: 50, offset: 0 };
    const reply = (await client.callTool({ name: 'get_result', arguments: args })) as CallToolResult;
    const result = reply.structuredContent as Result;
    if (result.ended_by !== undefined) return result;
  }
}
