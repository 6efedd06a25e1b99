import { constants } from 'node:os';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { type CallToolResult, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Result } from '../src/results/result.js';
import { bpftracesOf, isAlive } from '../test/support/processes.js';
import { SharedServer } from '../test/support/shared-server.js';
import { until } from '../test/support/until.js';
import type { Bench } from './bench.js';

const CLIENTS = 10;
const RUNNING = 30;
const QUEUED = 200;
const DRAIN_S = 5;
const TIMEOUT_S = 60;
const { SIGTERM } = constants.signals;
const BOUND_MS = 120_000;

/** SIGTERM to a server with 30 running and 200 waiting programs of ten clients: what each was told, what is left. */
export const drain: Bench = {
  name: 'drain',
  about: `SIGTERM with ${RUNNING} programs running and ${QUEUED} waiting, of ${CLIENTS} clients, --drain-s ${DRAIN_S}`,
  onlyNamed: true,
  async run({ say }) {
    const flags = [
      '--concurrency',
      String(RUNNING),
      '--queue-limit',
      String(QUEUED),
      '--drain-s',
      String(DRAIN_S),
    ];
    const server = await SharedServer.start([...flags, '--standby', '0']);
    const told = new Tally();
    try {
      const clients = await Promise.all(
        Array.from({ length: CLIENTS }, async () => (await server.client()).client),
      );
      for (const client of clients) {
        client.onerror = () => {};
        client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params: { level, data } }) =>
          told.add(`notified (${level}): ${data}`),
        );
      }
      // Every other one of those that run ends itself when the server is told to end: within the bound.
      const brief = `tracepoint:syscalls:sys_enter_kill /args->pid == ${server.pid} && args->sig == ${SIGTERM}/ { exit(); }`;
      const calls = Array.from({ length: RUNNING + QUEUED }, (_, at) => {
        const client = clients[at % CLIENTS] as Client;
        const program = `interval:ms:100 { @n${at} = count(); } ${at < RUNNING && at % 2 === 0 ? brief : ''}`;
        return follow(client, program).then(
          what => told.add(what),
          (error: unknown) => told.add(`error: ${error instanceof Error ? error.message : error}`),
        );
      });
      const metric = async (name: string): Promise<number> => {
        const { body } = await server.ask({ path: '/metrics', over: 'unix' });
        return Number(new RegExp(`^bpftrace_mcp_${name} (\\d+)$`, 'm').exec(body)?.[1]);
      };
      await until('they run and wait', BOUND_MS, async () => {
        return bpftracesOf(server.pid).length === RUNNING && (await metric('queue_length')) === QUEUED;
      });
      const children = bpftracesOf(server.pid).map(({ pid }) => pid);
      say(`  before: ${children.length} bpftraces, ${await metric('queue_length')} waiting`);
      const begun = performance.now();
      process.kill(server.pid, 'SIGTERM');
      const code = await server.exited;
      say(`  the server ended with ${code} after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      await Promise.all(calls);
      for (const [what, count] of told.sorted) say(`  ${String(count).padStart(5)}  ${what}`);
      const left = children.filter(isAlive);
      say(`  process table: ${left.length} of ${children.length} bpftraces left`);
      if (code !== 0 || left.length > 0) throw new Error(`exit code ${code}, ${left.length} bpftraces left`);
      if (told.count(/^error/) > 0) throw new Error(`${told.count(/^error/)} calls had no answer`);
    } finally {
      server.process.kill('SIGKILL');
      await server.close();
    }
  },
};

/** What an agent that waits for a program is told in the end. */
async function follow(client: Client, program: string): Promise<string> {
  let call = {
    name: 'exec_program',
    arguments: { program, timeout: TIMEOUT_S, wait: 50 } as Record<string, unknown>,
  };
  for (;;) {
    const reply = (await client.callTool(call)) as CallToolResult;
    if (reply.isError) return `refused: ${JSON.stringify(reply.content)}`;
    const { status, ended_by, error_message, maps, execution_id } = reply.structuredContent as Result;
    if (ended_by !== undefined) {
      const why = error_message === undefined ? '' : `, "${error_message}"`;
      return `${status} by ${ended_by}${why}, ${maps.length} maps`;
    }
    call = { name: 'get_result', arguments: { execution_id, wait: 50 } };
  }
}

class Tally {
  private readonly counts = new Map<string, number>();

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  count(pattern: RegExp): number {
    return this.sorted.reduce((sum, [what, count]) => sum + (pattern.test(what) ? count : 0), 0);
  }

  get sorted(): [string, number][] {
    return [...this.counts].sort(([, a], [, b]) => b - a);
  }
}
