import assert from 'node:assert/strict';
import { chownSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HostInfo } from '../../src/engine/index.js';
import { HELPER_PATH } from '../../src/privilege/helper/place.js';
import type { Result } from '../../src/results/result.js';
import { ServerUnderTest } from '../support/server.js';
import { SharedServer } from '../support/shared-server.js';
import { SudoUsers, whyNoSudo } from '../support/sudo-users.js';
import { until } from '../support/until.js';
import type { Recorded } from './programs.js';
import { comparable, type Told, use } from './told.js';

/** However a bpftrace is started and whoever is served, what is recorded of it is replayed the same. */

const PROGRAMS: readonly Recorded[] = [
  { name: 'lines', program: 'BEGIN { printf("one\\ntwo\\n"); exit(); }' },
  { name: 'a map and a snapshot', program: 'interval:ms:20 { @n = count(); }', timeout: 1, snapshots: 1 },
  { name: 'it does not compile', program: 'BEGIN { @ = nothing_of_the_kind; }' },
];

describe('recorded and replayed', { skip: whyNoSudo() }, () => {
  let users: SudoUsers;
  before(() => {
    users = new SudoUsers();
  });
  after(() => users?.remove());

  const told = async (
    server: ServerUnderTest,
    whenReady: () => Promise<void>,
  ): Promise<Map<string, Told>> => {
    const all = new Map<string, Told>();
    for (const one of PROGRAMS) {
      await whenReady();
      all.set(one.name, await use(server, one));
    }
    return all;
  };

  /** @param standby how many stand by; with one, each program waits until it is there */
  async function record(
    standby: number,
    user?: { uid: number; node: string; main: string },
  ): Promise<string> {
    const folder = mkdtempSync(join(users.folder, 'recorded-'));
    if (user) chownSync(folder, user.uid, user.uid);
    const server = await ServerUnderTest.start(
      ['--record', folder, '--standby', `${standby}`, '--log-level', 'info'],
      user,
    );
    const standsBy = async (): Promise<void> => {
      if (standby === 0) return;
      await until('one stands by', 20_000, async () => {
        const { queue } = (await server.call('bpf_info')).structured as HostInfo;
        return queue.standby === standby;
      });
    };
    const recorded = await told(server, standsBy);
    await server.close();
    assert.doesNotMatch(server.log, /was lost|was not recorded/);
    const replay = await ServerUnderTest.start(['--replay', folder, '--bpftrace', '/nowhere/bpftrace'], user);
    const again = await told(replay, async () => {});
    await replay.close();
    for (const [name, one] of again) {
      assert.equal(one.result.replayed, true);
      assert.deepEqual(comparable(one), comparable(recorded.get(name) ?? one), name);
    }
    const { result, snapshots } = again.get('a map and a snapshot') ?? {};
    assert.ok((result?.maps.length ?? 0) === 1 && snapshots?.length === 1);
    return folder;
  }

  test('a bpftrace that stood by', async () => {
    await record(1);
  });

  for (const standby of [0, 1]) {
    test(`through sudo, ${standby === 0 ? 'started for the program' : 'one that stood by'}`, async () => {
      const rule = `ALL=(ALL:ALL) NOPASSWD: ALL, !${HELPER_PATH}`;
      const user = users.add(standby === 0 ? 'cold' : 'warm', { rule });
      await record(standby, { ...users.installation(user), uid: user.uid });
    });
  }

  test('to several clients over HTTP, each with executions of its own', async () => {
    const folder = await record(0);
    const server = await SharedServer.start(['--replay', folder, '--replay-pace', 'fast']);
    const clients = await Promise.all([server.client(), server.client(), server.client()]);
    const results = await Promise.all(
      clients.map(async ({ client }) => {
        const [lines] = PROGRAMS;
        const reply = await client.callTool({
          name: 'exec_program',
          arguments: { program: lines?.program, wait: 50 },
        });
        return reply.structuredContent as Result;
      }),
    );
    for (const { status, replayed, output } of results)
      assert.deepEqual([status, replayed, output], ['completed', true, ['one', 'two']]);
    assert.equal(new Set(results.map(({ execution_id }) => execution_id)).size, 3);
    const strangers = await clients[0]?.client.callTool({
      name: 'get_result',
      arguments: { execution_id: results[1]?.execution_id },
    });
    assert.equal(strangers?.isError, true);
    await Promise.all(clients.map(({ client }) => client.close()));
    await server.close();
  });
});
