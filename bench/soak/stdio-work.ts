import assert from 'node:assert/strict';
import type { seeded } from '../../test/support/random.js';
import { untilEnded } from '../../test/support/run-to-end.js';
import type { ServerUnderTest } from '../../test/support/server.js';

/** One piece of work over MCP, checked likewise. */
type StdioWork = (server: ServerUnderTest, chance: ReturnType<typeof seeded>) => Promise<void>;

const MARKED = 'BEGIN { @mark = 7; } interval:ms:20 { @n = count(); }';

export const STDIO_WORK: Readonly<Record<string, StdioWork>> = {
  async 'exec_program with wait'(server, chance) {
    const number = chance.below(1_000_000);
    const program = `BEGIN { printf("%d\\n", ${number}); exit(); }`;
    const { status, output } = await server.result('exec_program', { program, wait: 50 });
    assert.deepEqual([status, output], ['completed', [`${number}`]]);
  },
  async 'exec_program, get_result'(server) {
    const started = await server.result('exec_program', { program: MARKED, timeout: 0.5 });
    const { status, ended_by, maps } = await untilEnded(server, started);
    assert.deepEqual([status, ended_by], ['completed', 'deadline']);
    assert.equal(maps.find(({ name }) => name === '@mark')?.value, 7);
  },
  async 'exec_program, stop_program'(server) {
    const { execution_id } = await server.result('exec_program', { program: MARKED });
    const answer = await server.result('stop_program', { execution_id });
    const { status, maps } = await untilEnded(server, answer);
    assert.equal(status, 'stopped');
    assert.equal(maps.find(({ name }) => name === '@mark')?.value, 7);
  },
  async 'wrong calls'(server) {
    assert.match((await server.call('get_result', { execution_id: 'none' })).text, /^unknown_execution: /);
    assert.match((await server.call('exec_program', { program: ' ' })).text, /^invalid_argument: /);
    assert.match(
      (await server.call('exec_program', { program: 'BEGIN { cat("/etc/shadow"); }' })).text,
      /^policy_denied: /,
    );
  },
  async 'a flood, read in parts'(server) {
    const line = `printf("${'x'.repeat(60)}\\n");`;
    const program = `interval:ms:1 { unroll(30) { ${line} } }`;
    const started = await server.result('exec_program', { program, timeout: 0.5 });
    const { lines_total, lines_dropped, output, ended_by } = await untilEnded(server, started);
    assert.equal(ended_by, 'deadline');
    assert.ok(lines_total > lines_dropped && output.every(text => text === 'x'.repeat(60)));
  },
  async 'lists and bpf_info'(server) {
    assert.equal((await server.call('bpf_info')).isError, false);
    assert.ok((await server.executions()).length >= 0);
    const names = await server.list<{ name: string }>('list_helpers', 'helpers', { filter: 'printf' });
    assert.ok(names.some(({ name }) => name === 'printf'));
  },
};
