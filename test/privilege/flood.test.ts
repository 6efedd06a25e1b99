import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { orKilled } from '../support/ending-server.js';
import { ServerUnderTest } from '../support/server.js';
import { SudoUsers, type TestUser, whyNoSudo } from '../support/sudo-users.js';
import { until } from '../support/until.js';
import { startWriter } from '../support/writer.js';

/** A signal that found bpftrace writing would cost its maps: behind sudo the supervisor has to see to that. */
const FLOOD = 'tracepoint:raw_syscalls:sys_enter { printf("%s %d\\n", comm, args->id); @n = count(); }';
const ROUNDS = 3;

describe('a flood behind sudo', { skip: whyNoSudo() }, () => {
  let users: SudoUsers;
  let user: TestUser;
  before(() => {
    users = new SudoUsers();
    user = users.add('fl', { rule: 'ALL=(ALL:ALL) NOPASSWD: ALL' });
  });
  after(() => users?.remove());

  test('a stop in the middle of it gives the map', async t => {
    const busy = startWriter();
    const server = await ServerUnderTest.start([], { ...users.installation(user), uid: user.uid });
    try {
      await orKilled(server, async () => {
        for (let round = 0; round < ROUNDS; round++) {
          const { execution_id } = await server.result('exec_program', { program: FLOOD, timeout: 60 });
          await until('it floods', 20_000, async () => {
            const result = await server.result('get_result', { execution_id, limit: 1 });
            return result.lines_total > 10_000;
          });
          const stopped = await server.result('stop_program', { execution_id });
          assert.deepEqual([stopped.status, stopped.exit_code], ['stopped', 0]);
          assert.deepEqual(
            stopped.maps.map(({ name }) => name),
            ['@n'],
          );
          t.diagnostic(`${stopped.lines_total} lines`);
        }
        await server.close();
      });
    } finally {
      busy.kill('SIGKILL');
    }
  });
});
