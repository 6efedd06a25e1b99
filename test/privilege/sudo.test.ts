import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { HostInfo } from '../../src/engine/index.js';
import { HELPER_PATH } from '../../src/privilege/helper/place.js';
import { orKilled, TICKS } from '../support/ending-server.js';
import { assertGone, chainOf, liveThrough, standBy } from '../support/privileged-life.js';
import { ServerUnderTest } from '../support/server.js';
import { SudoUsers, type TestUser, whyNoSudo } from '../support/sudo-users.js';

/** The server as a user of this machine who gets root by sudo, and what is left of it after each end. */

const whyNot = whyNoSudo();
const PASSWORD = `correct-horse ${process.pid} battery`;
/** Of one server alone: others that are just starting have theirs still in their environment. */
const SECRET = `staple-${process.pid}-staple`;

describe('real users and real sudo', { skip: whyNot, concurrency: 3 }, () => {
  let users: SudoUsers;
  let withPassword: TestUser;
  let without: TestUser;
  let nobody: TestUser;
  let secretive: TestUser;
  before(() => {
    users = new SudoUsers();
    withPassword = users.add('pw', { password: PASSWORD, rule: 'ALL=(ALL:ALL) ALL' });
    // The tests of the helper may have one installed at the same time.
    without = users.add('np', { rule: `ALL=(ALL:ALL) NOPASSWD: ALL, !${HELPER_PATH}` });
    secretive = users.add('se', { password: SECRET, rule: 'ALL=(ALL:ALL) ALL' });
    nobody = users.add('no', { password: PASSWORD });
  });
  after(() => users?.remove());

  const serverOf = (user: TestUser, env: NodeJS.ProcessEnv = {}, standby = 0): Promise<ServerUnderTest> =>
    ServerUnderTest.start(['--standby', `${standby}`], { ...users.installation(user), uid: user.uid, env });
  const info = async (server: ServerUnderTest): Promise<HostInfo> =>
    (await server.call('bpf_info')).structured as HostInfo;

  const roles = [
    {
      role: 'a user with a password rule',
      mode: 'sudo_password' as const,
      user: () => withPassword,
      env: { BPFTRACE_PASSWD: PASSWORD },
    },
    { role: 'a user with a NOPASSWD rule', mode: 'sudo' as const, user: () => without, env: {} },
  ];
  for (const { role, mode, user, env } of roles) {
    test(`${role}: runs, times out, stops, loses its server`, async t => {
      const server = await serverOf(user(), env);
      await orKilled(server, () => liveThrough(server, mode, line => t.diagnostic(line)));
    });

    test(`${role}: a bpftrace stands by`, async t => {
      const server = await serverOf(user(), env, 1);
      await orKilled(server, () => standBy(server, line => t.diagnostic(line)));
    });
  }

  test('a snapshot: the signal reaches bpftrace, and nothing in front of it', async () => {
    const server = await serverOf(without);
    await orKilled(server, async () => {
      const { execution_id } = await server.result('exec_program', { program: TICKS, timeout: 60 });
      for (let i = 0; i < 3; i++) {
        const { snapshot_at, no_snapshot, maps } = await server.result('get_result', {
          execution_id,
          snapshot: true,
        });
        assert.equal(no_snapshot, undefined);
        assert.ok(snapshot_at !== undefined && maps.length === 1);
      }
      const end = await server.result('stop_program', { execution_id });
      assert.deepEqual([end.status, end.snapshot_at, end.maps.length], ['stopped', undefined, 1]);
      await server.close();
    });
  });

  test('the end of its input: everything stops, nothing is left', async () => {
    const server = await serverOf(without);
    await orKilled(server, async () => {
      await server.result('exec_program', { program: TICKS, timeout: 60 });
      const chain = await chainOf(server);
      assert.equal((await server.close()).code, 0);
      await assertGone('after the end', chain);
      assert.match(server.log, /"status":"stopped","endedBy":"shutdown"/);
    });
  });

  test('the password is nowhere: no command line, no environment, no log, no result', async () => {
    const server = await serverOf(secretive, { BPFTRACE_PASSWD: SECRET });
    await orKilled(server, async () => {
      const results = [
        await server.result('exec_program', { program: TICKS, timeout: 60 }),
        await info(server),
      ];
      await chainOf(server);
      const { looked, found } = whereIs(SECRET);
      assert.ok(looked > 10, `${looked} files of /proc were read`);
      assert.deepEqual(found, []);
      assert.equal(readFileSync(`/proc/${server.pid}/coredump_filter`, 'utf8').trim(), '00000000');
      assert.ok(!JSON.stringify(results).includes(SECRET));
      await server.close();
      assert.ok(server.log.length > 0 && !server.log.includes(SECRET));
      assert.deepEqual(server.strayOutput, []);
    });
  });

  test('nor is a wrong one; the server starts, and says what to do', async () => {
    const wrong = `not-${PASSWORD}`;
    const server = await serverOf(withPassword, { BPFTRACE_PASSWD: wrong });
    await orKilled(server, async () => {
      assert.equal((await info(server)).privileges, 'none');
      const refused = await server.call('exec_program', { program: TICKS });
      assert.match(
        refused.text,
        /^no_privilege: .* sudo does not take the password that this server was given\nNext: start the server as root, or run `bpftrace-mcp helper install`/,
      );
      assert.match(
        (await server.call('bpf_info')).text,
        /^NO privileges: uid \d+, and sudo does not take the password that was given -> /m,
      );
      assert.deepEqual(whereIs(wrong).found, []);
      await server.close();
      assert.ok(!server.log.includes(wrong));
    });
  });

  test('a password that is changed while the server runs: each tool says so', async () => {
    const changing = users.add('ch', { password: PASSWORD, rule: 'ALL=(ALL:ALL) ALL' });
    const server = await serverOf(changing, { BPFTRACE_PASSWD: PASSWORD });
    await orKilled(server, async () => {
      assert.equal((await info(server)).privileges, 'sudo_password');
      execFileSync('chpasswd', { input: `${changing.name}:new-one\n` });
      const says = /password that the server was given is not right any more; start the server again/;
      const ended = await server.result('exec_program', { program: TICKS, wait: 30 });
      assert.deepEqual([ended.status, ended.reason], ['failed', 'start_failed']);
      assert.match(ended.error_message ?? '', says);
      const validated = (await server.call('validate_program', { program: TICKS })).structured;
      assert.equal(validated?.valid, null);
      assert.match(String(validated?.reason), says);
      await server.close();
    });
  });

  test('a user without any rule, and a right password', async () => {
    const server = await serverOf(nobody, { BPFTRACE_PASSWD: PASSWORD });
    await orKilled(server, async () => {
      assert.equal((await info(server)).privileges, 'none');
      assert.match((await server.call('exec_program', { program: TICKS })).text, /^no_privilege/);
      await server.close();
    });
  });
});

/** Command lines and environments of every process, as root sees them. */
function whereIs(secret: string): { looked: number; found: string[] } {
  const found: string[] = [];
  let looked = 0;
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    for (const file of ['cmdline', 'environ']) {
      try {
        looked++;
        if (readFileSync(`/proc/${pid}/${file}`).includes(secret)) found.push(`/proc/${pid}/${file}`);
      } catch {
        // It has ended.
      }
    }
  }
  return { looked, found };
}
