import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  type CallToolResult,
  CallToolResultSchema,
  type Progress,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Result } from '../../src/results/result.js';
import { folder, shell } from '../support/fake-bpftrace.js';
import { BPFTRACE, MAIN } from '../support/server.js';
import { until } from '../support/until.js';

const TICKS = 'interval:ms:50 { @ticks = count(); printf("tick %d\\n", elapsed); }';
const BRIEF = 'BEGIN { printf("a\\nb é\\n"); @ = 3; exit(); }';

async function textOf(client: Client, uri: string): Promise<string> {
  const [content] = (await client.readResource({ uri })).contents;
  assert.ok(content && 'text' in content);
  return content.text;
}

/** Clients end the connection at a message of 10 MiB. */
test('lines of more bytes than a message takes are read in parts', async t => {
  const file = join(folder, 'large.out');
  const line = (i: number): string => `${i} ${'abcdefg"'.repeat(6000)}`;
  const lines = Array.from({ length: 200 }, (_, i) => line(i));
  const records = lines.map(text => `{"type": "printf", "data": ${JSON.stringify(`${text}\n`)}}\n`);
  writeFileSync(file, records.join(''));
  const client = new Client({ name: 'test', version: '0' });
  const settings = ['--max-output-bytes', String(64 * 1024 * 1024), '--log-level', 'silent'];
  const args = [MAIN, '--bpftrace', shell(`cat '${file}'`), ...settings];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  t.after(() => client.close());
  const reply = await client.callTool({ name: 'exec_program', arguments: { program: BRIEF, wait: 40 } });
  const { execution_id: id, lines_total: total } = reply.structuredContent as Result;
  assert.equal(total, lines.length);
  const seen: string[] = [];
  let parts = 0;
  let uri: string | undefined = `bpftrace://executions/${id}/output`;
  while (uri) {
    const page = (await textOf(client, uri)).split('\n').slice(0, -1);
    parts++;
    uri = /^\[more lines: (\S+)\]$/.exec(page.at(-1) ?? '')?.[1];
    seen.push(...(uri ? page.slice(0, -1) : page));
  }
  assert.ok(parts >= 2, `${parts} parts`);
  assert.deepEqual(seen, lines);
});

/** Progress, resources and tasks, as the SDK's own client sees them. */
describe('following an execution', () => {
  const client = new Client({ name: 'test', version: '0' }, { capabilities: { tasks: {} } });
  const updates: string[] = [];
  before(async () => {
    const args = [MAIN, '--bpftrace', BPFTRACE, '--log-level', 'silent'];
    await client.connect(new StdioClientTransport({ command: process.execPath, args }));
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      updates.push(params.uri);
    });
    await client.listTools();
  });
  after(() => client.close());

  async function result(name: string, args: Record<string, unknown>): Promise<Result> {
    const reply = await client.callTool({ name, arguments: args });
    assert.notEqual(reply.isError, true, JSON.stringify(reply.content));
    return reply.structuredContent as Result;
  }
  const uriOf = (id: string): string => `bpftrace://executions/${id}`;
  const read = (uri: string): Promise<string> => textOf(client, uri);

  test('a call that waits tells how far it is, with numbers that only rise', async () => {
    const seen: Progress[] = [];
    const reply = (await client.callTool(
      { name: 'exec_program', arguments: { program: TICKS, timeout: 3, wait: 40 } },
      undefined,
      { onprogress: progress => void seen.push(progress), timeout: 60_000 },
    )) as CallToolResult;
    assert.equal(reply.structuredContent?.status, 'completed');
    assert.ok(seen.length >= 2, `${seen.length} notifications`);
    seen.forEach(({ progress, total = 0 }, i) => {
      assert.ok(progress > (seen[i - 1]?.progress ?? 0) + 0.5, JSON.stringify(seen));
      assert.ok(total >= progress && total <= 40, JSON.stringify(seen));
    });
    assert.ok(
      seen.some(({ message = '' }) => /^running for [\d.]+ s of 3 s; \d+ lines$/.test(message)),
      JSON.stringify(seen),
    );
  });

  test('results and lines are resources, listed newest first', async () => {
    const { execution_id: id } = await result('exec_program', { program: BRIEF, wait: 30 });
    const { resources } = await client.listResources();
    assert.equal(resources[0]?.uri, uriOf(id));
    assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 2);
    const whole = JSON.parse(await read(uriOf(id))) as Result;
    assert.deepEqual([whole.status, whole.output, whole.maps[0]?.value], ['completed', ['a', 'b é'], 3]);
    assert.equal(await read(`${uriOf(id)}/output`), 'a\nb é\n');
    assert.equal(await read(`${uriOf(id)}/output?offset=1`), 'b é\n');
  });

  test('an output as large as it gets is whole, in its order', async () => {
    // Nine lines a tick: a loop that every version takes.
    const program =
      'interval:us:900 { unroll(9) { printf("%d %s\\n", nsecs, "abcdefghijklmnopqrstuvwxyz"); } }';
    const { execution_id: id, ...ended } = await result('exec_program', { program, timeout: 2, wait: 40 });
    assert.ok(ended.lines_total > 1000, `${ended.lines_total} lines`);
    const lines = (await read(`${uriOf(id)}/output`)).split('\n').slice(0, -1);
    assert.equal(lines.length, ended.lines_total - ended.lines_dropped + (ended.lines_dropped > 0 ? 1 : 0));
    const tail = await result('get_result', { execution_id: id, offset: ended.lines_total - 5 });
    assert.deepEqual(lines.slice(-5), tail.output);
  });

  test('what is no resource is told so', async () => {
    for (const uri of [
      'bpftrace://executions/0000',
      'bpftrace://executions/0000/output',
      'bpftrace://executions',
      'file:///etc/passwd',
    ]) {
      await assert.rejects(client.readResource({ uri }), { code: -32002 }, uri);
      await assert.rejects(client.subscribeResource({ uri }), { code: -32002 }, uri);
    }
    await assert.rejects(client.listResources({ cursor: 'nonsense' }), { code: -32602 });
  });

  test('a subscriber is told of news, not more than once a second, and of the end', async () => {
    const { execution_id: id } = await result('exec_program', { program: TICKS, timeout: 30 });
    const uri = uriOf(id);
    const begun = performance.now();
    await client.subscribeResource({ uri });
    await client.subscribeResource({ uri });
    await until('three updates', 30_000, () => updates.filter(seen => seen === uri).length >= 3);
    assert.ok(performance.now() - begun > 1900, 'three updates take two seconds at least');
    await client.unsubscribeResource({ uri });
    const output = `${uri}/output`;
    await client.subscribeResource({ uri: output });
    await result('stop_program', { execution_id: id });
    await until('the end is told', 10_000, () => updates.includes(output));
    assert.equal((JSON.parse(await read(uri)) as Result).status, 'stopped');
  });

  test('exec_program as a task: it works, it is done, its result is the final one', async () => {
    const states: string[] = [];
    let final: CallToolResult | undefined;
    const stream = client.experimental.tasks.callToolStream(
      { name: 'exec_program', arguments: { program: TICKS, timeout: 1 } },
      CallToolResultSchema,
      { task: { ttl: 60_000 } },
    );
    for await (const message of stream) {
      if (message.type === 'taskCreated' || message.type === 'taskStatus') states.push(message.task.status);
      if (message.type === 'result') final = message.result as CallToolResult;
      if (message.type === 'error') throw message.error;
    }
    assert.equal(states[0], 'working');
    assert.deepEqual(final?.structuredContent?.status, 'completed');
    assert.deepEqual(final?.structuredContent?.ended_by, 'deadline');
    const id = String(final?.structuredContent?.execution_id);
    const task = await client.experimental.tasks.getTask(id);
    assert.deepEqual([task.status, task.ttl], ['completed', 3_600_000]);
    assert.ok(Date.parse(task.lastUpdatedAt) > Date.parse(task.createdAt));
    const { tasks } = await client.experimental.tasks.listTasks();
    assert.ok(tasks.some(({ taskId }) => taskId === id));
    await assert.rejects(client.experimental.tasks.cancelTask(id), /it is completed already/);
  });

  test('a task that is cancelled is stopped, and has what it gathered', async () => {
    const created = await create({ program: TICKS, timeout: 30 });
    const id = created.task.taskId;
    await result('get_result', { execution_id: id, offset: 0, wait: 30 });
    const answer = await client.experimental.tasks.cancelTask(id);
    assert.equal(answer.status, 'cancelled');
    const gathered = await client.experimental.tasks.getTaskResult(id, CallToolResultSchema);
    assert.equal(gathered.structuredContent?.status, 'stopped');
    assert.ok(Number(gathered.structuredContent?.lines_total) >= 1);
    assert.equal((await client.experimental.tasks.getTask(id)).status, 'cancelled');
  });

  test('a program that fails is a task whose result says why; what is refused is no task', async () => {
    const { task } = await create({ program: 'BEGIN { printf("x" }' });
    const failed = await client.experimental.tasks.getTaskResult(task.taskId, CallToolResultSchema);
    assert.deepEqual(
      [failed.structuredContent?.status, failed.structuredContent?.reason],
      ['failed', 'compile_failed'],
    );
    await assert.rejects(create({ program: '' }), /invalid_argument: the program is empty/);
    await assert.rejects(create({ program: BRIEF, wait: 999 }), /wait: /);
    await assert.rejects(client.experimental.tasks.getTask('nonsense'), /there is no execution/);
    await assert.rejects(client.experimental.tasks.getTaskResult('nonsense'), /there is no execution/);
  });

  async function create(
    args: Record<string, unknown>,
  ): Promise<{ task: { taskId: string; status: string } }> {
    const stream = client.experimental.tasks.callToolStream(
      { name: 'exec_program', arguments: args },
      CallToolResultSchema,
      { task: { ttl: 60_000 } },
    );
    const first = await stream.next();
    await stream.return();
    const message = first.value;
    if (message?.type === 'error') throw message.error;
    assert.equal(message?.type, 'taskCreated');
    return message as { task: { taskId: string; status: string } };
  }
});
