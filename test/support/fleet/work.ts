import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Result } from '../../../src/results/result.js';

/** The SDK's client gives a call up after 60 s, and a busy machine answers late. */
const WAIT_S = 30;
const BUSY_WAIT_MS = 1000;

/** Programs of one agent: each has a number of its own in it, by which its result is known. */
type Work = (agent: Agent, number: number) => Promise<void>;

/** One client of a fleet, and what it went through. */
export class Agent {
  readonly ids: string[] = [];
  /** From the call to the finished result, in ms, by kind of work. */
  readonly latenciesMs: { kind: string; ms: number }[] = [];
  readonly wrong: string[] = [];
  busy = 0;

  constructor(
    readonly client: Client,
    readonly name: string,
  ) {}

  async call(name: string, args: Record<string, unknown>): Promise<CallToolResult> {
    return (await this.client.callTool({ name, arguments: args })) as CallToolResult;
  }

  /** Handed in again where the server is busy, as it says. */
  async exec(args: Record<string, unknown>): Promise<Result> {
    for (;;) {
      const reply = await this.call('exec_program', args);
      if (!reply.isError) {
        const result = reply.structuredContent as Result;
        this.ids.push(result.execution_id);
        return result;
      }
      const text = JSON.stringify(reply.content);
      if (!text.includes('busy:')) throw new Error(text);
      this.busy++;
      const seconds = /likely in (\d+) s/.exec(text)?.[1];
      await sleep(seconds === undefined ? BUSY_WAIT_MS : Number(seconds) * 1000);
    }
  }

  async untilEnded(result: Result): Promise<Result> {
    let now = result;
    while (now.ended_by === undefined) {
      const args = { execution_id: now.execution_id, wait: WAIT_S };
      const reply = await this.call('get_result', args);
      if (reply.isError) throw new Error(JSON.stringify(reply.content));
      now = reply.structuredContent as Result;
    }
    return now;
  }

  async run(args: Record<string, unknown>): Promise<Result> {
    return this.untilEnded(await this.exec({ wait: WAIT_S, ...args }));
  }
}

function mapValue({ maps }: Result, name: string): unknown {
  return maps.find(map => map.name === name)?.value;
}

const marked = (number: number): string => `BEGIN { @mark = ${number}; } interval:ms:20 { @n = count(); }`;

export const WORK: Readonly<Record<string, Work>> = {
  async 'ends itself'(agent, number) {
    const program = `BEGIN { printf("%d\\n", ${number}); @ = ${number}; exit(); }`;
    const result = await agent.run({ program });
    assert.deepEqual(
      [result.status, result.ended_by, result.output, mapValue(result, '@')],
      ['completed', 'exit', [String(number)], number],
    );
  },
  async 'short deadline'(agent, number) {
    const result = await agent.run({ program: marked(number), timeout: 0.2 });
    assert.deepEqual(
      [result.status, result.ended_by, mapValue(result, '@mark')],
      ['completed', 'deadline', number],
    );
  },
  async 'long deadline'(agent, number) {
    const timeout = 1 + (number % 3) / 2;
    const result = await agent.run({ program: marked(number), timeout });
    assert.deepEqual(
      [result.status, result.ended_by, mapValue(result, '@mark')],
      ['completed', 'deadline', number],
    );
    assert.ok(result.duration >= timeout - 0.01, `${result.duration} s of ${timeout} s`);
  },
  async lines(agent, number) {
    const program = `interval:ms:10 { @i++; printf("${number} %d\\n", @i); }`;
    const result = await agent.run({ program, timeout: 0.5, max_bytes: 100_000 });
    assert.equal(result.ended_by, 'deadline', result.error_message);
    assert.ok(result.output.length > 0 && result.lines_total === result.output.length);
    result.output.forEach((line, at) => void assert.equal(line, `${number} ${at + 1}`));
  },
  async 'does not compile'(agent, number) {
    const result = await agent.run({ program: `BEGIN { @ = $never_set_${number}; }` });
    assert.deepEqual([result.status, result.reason], ['failed', 'compile_failed']);
    assert.match(JSON.stringify(result.diagnostics), new RegExp(`never_set_${number}`));
  },
  async 'is stopped'(agent, number) {
    let result = await agent.exec({ program: marked(number), timeout: 60 });
    while (result.status === 'queued' || result.status === 'starting') {
      const { execution_id } = result;
      await sleep(BUSY_WAIT_MS / 10);
      result = (await agent.call('get_result', { execution_id })).structuredContent as Result;
    }
    const { execution_id } = result;
    const stopped = await agent.untilEnded(
      (await agent.call('stop_program', { execution_id })).structuredContent as Result,
    );
    assert.deepEqual(
      [stopped.status, stopped.ended_by, mapValue(stopped, '@mark')],
      ['stopped', 'stop', number],
    );
  },
};
