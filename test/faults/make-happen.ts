import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Held, heldBy, residentMb } from '../support/held.js';
import { isAlive } from '../support/processes.js';
import { ServerUnderTest } from '../support/server.js';
import { until } from '../support/until.js';
import { BOUND_MS, type Fault } from './fault.js';

const SHORT = { program: 'BEGIN { printf("ran\\n"); exit(); }', wait: 30 };
/** V8 and libuv start helpers when there is something for them. */
const HELPER_THREADS = 4;
const HELPER_DESCRIPTORS = 2;
/** What a fault may leave in memory until it is collected or used again. */
const GROWTH_MB = 200;

async function assertRuns(server: ServerUnderTest): Promise<void> {
  const { status, output, error_message } = await server.result('exec_program', SHORT);
  assert.deepEqual([status, output], ['completed', ['ran']], error_message);
}

/** The server goes on, and holds what it held before. */
async function assertUnharmed(
  server: ServerUnderTest,
  { zombies = 0, standby = 0 }: Fault,
  before: Held & { mb: number },
): Promise<string> {
  await assertRuns(server);
  let now = heldBy(server.pid);
  try {
    await until('it holds what it held before', BOUND_MS, () => {
      now = heldBy(server.pid);
      return (
        now.children === standby &&
        now.zombies === zombies &&
        now.threads <= before.threads + HELPER_THREADS &&
        now.descriptors <= before.descriptors + HELPER_DESCRIPTORS
      );
    });
  } catch (error) {
    assert.fail(`${error}: before ${JSON.stringify(before)}, now ${JSON.stringify(now)}`);
  }
  const mb = residentMb(server.pid);
  assert.ok(mb <= before.mb + GROWTH_MB, `${mb} MB of memory, ${before.mb} before`);
  return `before ${JSON.stringify(before)}, after ${JSON.stringify({ ...now, mb })}`;
}

/** Makes it happen to a server of its own, and looks at what that holds afterwards. */
export async function makeHappen(row: Fault, t: TestContext): Promise<void> {
  const { flags = [], env, node, skip, listsProbes, endsServer, standby = 0, happen } = row;
  if (skip !== undefined) return t.skip(skip);
  const server = await ServerUnderTest.start(['--concurrency', '1', '--standby', `${standby}`, ...flags], {
    ...(env && { env }),
    ...(node && { node }),
  });
  try {
    await assertRuns(server);
    if (listsProbes) await server.call('list_probes', { filter: 'tracepoint:sched:*' });
    await until('nothing runs', BOUND_MS, () => heldBy(server.pid).children === standby);
    const before = { ...heldBy(server.pid), mb: residentMb(server.pid) };
    const children: number[] = [];
    await happen(server, { say: figure => t.diagnostic(figure), watch: pid => children.push(pid) });
    if (!endsServer) {
      t.diagnostic(await assertUnharmed(server, row, before));
      assert.deepEqual(await server.close(), { code: 0, signal: null });
      assert.deepEqual(server.strayOutput, []);
    }
    await until('no child is left', BOUND_MS, () => !children.some(isAlive));
  } finally {
    server.process.kill('SIGKILL');
  }
}
