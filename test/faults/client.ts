import assert from 'node:assert/strict';
import { TICKS } from '../support/ending-server.js';
import { residentMb } from '../support/held.js';
import type { ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';
import { BOUND_MS, childOf, type Fault } from './fault.js';

const GARBAGE_LINES = 3000;
/** Of answers, where the server gives a client up. */
const UNREAD_BYTES_MAX = 64 * 1024 * 1024;
/** The most that a server may have grown when it gives up a client, which has left 64 MiB unread: as characters, as bytes, and garbage. */
const GROWTH_MB = 500;

async function untilGone(server: ServerUnderTest): Promise<void> {
  const { process: child } = server;
  await until('the server ends', BOUND_MS, () => child.exitCode !== null || child.signalCode !== null);
  assert.deepEqual([child.exitCode, child.signalCode], [0, null]);
}

function dropped(log: string): number {
  return [...log.matchAll(/"dropped":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The client does not do its part. */
export const CLIENT_FAULTS: readonly Fault[] = [
  {
    fault: 'the client reads none of its answers',
    seen: 'it is given up when 64 MiB lie unread, and its programs are stopped',
    endsServer: true,
    async happen(server, { say, watch }) {
      const line = `printf("${'x'.repeat(900)}\\n");`;
      const printed = await server.result('exec_program', {
        program: `interval:ms:10 { unroll(10) { ${line} } }`,
        timeout: 1,
        wait: 30,
      });
      assert.equal(printed.status, 'completed');
      assert.ok(printed.lines_total > 100, `${printed.lines_total} lines`);
      await server.result('exec_program', { program: TICKS, timeout: 60 });
      watch(await childOf(server));
      const { execution_id } = printed;
      const args = { execution_id, offset: 0, limit: 1000, max_bytes: 1_048_576 };
      const { text, structured } = await server.call('get_result', args);
      const answerBytes = text.length + JSON.stringify(structured).length;
      const asked = Math.ceil((1.5 * UNREAD_BYTES_MAX) / answerBytes);
      const before = residentMb(server.pid);
      let most = before;
      const { stdin, stdout } = server.process;
      stdout.pause();
      const params = { name: 'get_result', arguments: args };
      for (let id = 1_000_000; id < 1_000_000 + asked; id++) {
        stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`);
      }
      await until('the server ends', BOUND_MS, () => {
        most = Math.max(most, residentMb(server.pid));
        return server.process.exitCode !== null;
      });
      stdout.resume();
      await untilGone(server);
      say(`${asked} answers of ${answerBytes} bytes asked for; the server grew by ${most - before} MB`);
      assert.match(server.log, /"why":"the client does not read its answers"/);
      assert.ok(most - before < GROWTH_MB, `${most - before} MB`);
    },
  },
  {
    fault: 'lines that are no messages, and a log that nobody reads',
    seen: 'calls are answered; log lines beyond 1 MiB are dropped and counted',
    async happen(server, { say }) {
      const { stdin, stderr } = server.process;
      stderr.pause();
      stdin.write('{"jsonrpc": "2.0", "id": \n'.repeat(GARBAGE_LINES));
      const { status } = await server.result('exec_program', { program: 'BEGIN { exit(); }', wait: 30 });
      assert.equal(status, 'completed');
      stderr.resume();
      await until('the log can be written again', BOUND_MS, async () => {
        await server.result('exec_program', { program: 'BEGIN { exit(); }', wait: 30 });
        return dropped(server.log) > 0;
      });
      const told = server.log.match(/"msg":"MCP transport"/g)?.length ?? 0;
      say(`${told} lines of the log were read, ${dropped(server.log)} dropped`);
      assert.ok(told > 100 && told < GARBAGE_LINES, `${told} lines`);
      // Among those that were dropped are lines of executions.
      assert.ok(told + dropped(server.log) >= GARBAGE_LINES, `${told} and ${dropped(server.log)}`);
    },
  },
  {
    fault: 'standard input ends in the middle of a message',
    seen: 'as at any end of standard input: programs are stopped, no bpftrace is left',
    endsServer: true,
    async happen(server, { watch }) {
      await server.result('exec_program', { program: TICKS, timeout: 60 });
      watch(await childOf(server));
      server.process.stdin.end('{"jsonrpc":"2.0","id":4711,"method":"tools/ca');
      await untilGone(server);
      assert.deepEqual(server.strayOutput, []);
      assert.match(server.log, /"why":"end of standard input"/);
      assert.match(server.log, /"status":"stopped","endedBy":"shutdown"/);
    },
  },
];
