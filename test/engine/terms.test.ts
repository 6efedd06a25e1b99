import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createEngine, Refusal } from '../../src/engine/index.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';

const LONG = 'interval:ms:100 { @ticks = count(); }';

describe('a client on terms of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-terms-'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'for root only\n', { mode: 0o600 });
  const engine = createEngine({ bpftrace: BPFTRACE, policy: 'unsafe' });
  after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  async function run(client: ReturnType<typeof engine.as>, program: string) {
    const id = client.submit({ program, deadlineMs: 5000 });
    await client.untilEnded(id, { boundMs: 60_000 });
    return client.result(id);
  }

  test('a narrower policy holds for it alone, in judgement and in how bpftrace is started', async () => {
    const [wide, full, narrow] = [
      engine.as('wide'),
      engine.as('full', { policy: 'full' }),
      engine.as('narrow', { policy: 'observe' }),
    ];
    const shelling = `BEGIN { system("cat ${secret}"); exit(); }`;
    const reading = `BEGIN { cat("${secret}"); exit(); }`;
    assert.deepEqual((await run(wide, shelling)).output, ['for root only']);
    assert.deepEqual((await run(full, reading)).output, ['for root only']);
    const refused = await run(full, shelling);
    assert.deepEqual([refused.status, refused.reason], ['failed', 'compile_failed']);
    for (const program of [shelling, reading]) {
      assert.throws(() => narrow.submit({ program }), isDenied);
      await assert.rejects(narrow.validate(program, new AbortController().signal), isDenied);
    }
    assert.equal((await narrow.info()).policy.profile, 'observe');
    assert.equal((await wide.info()).policy.profile, 'unsafe');
  });

  test('whose symbols may be listed goes by it too', async () => {
    const binary = join(folder, 'sh');
    // The file itself: of a link, the mode would be set on what the system's own shell is.
    copyFileSync('/bin/sh', binary);
    chmodSync(binary, 0o700);
    const filter = `uprobe:${binary}:*`;
    await assert.rejects(engine.as('narrow', { policy: 'observe' }).probes({ filter }), isDenied);
    await engine
      .as('full', { policy: 'full' })
      .probes({ filter })
      .catch(error => assert.ok(!isDenied(error)));
  });

  test('nobody is given more than the server allows', async () => {
    const observing = createEngine({ bpftrace: BPFTRACE, policy: 'observe' });
    const greedy = observing.as('greedy', { policy: 'unsafe' });
    assert.throws(() => greedy.submit({ program: `BEGIN { cat("${secret}"); }` }), isDenied);
    await observing.close();
  });

  test('who leaves has what it submitted stopped, and nothing else', async () => {
    const [gone, stays] = [engine.as('same'), engine.as('same')];
    const [theirs, ours] = [gone.submit({ program: LONG }), stays.submit({ program: LONG })];
    await until('both have ticked', 30_000, () => {
      const glances = [theirs, ours].map(id => stays.glance(id));
      return glances.every(({ status, tracedMs }) => status === 'running' && tracedMs > 500);
    });
    gone.leave();
    await stays.untilEnded(theirs, { boundMs: 20_000 });
    const { status, error_message, maps } = stays.result(theirs);
    assert.deepEqual([status, error_message], ['stopped', 'its client went away']);
    assert.equal(maps[0]?.name, '@ticks');
    assert.equal(stays.glance(ours).status, 'running');
    stays.stop(ours);
    await stays.untilEnded(ours, { boundMs: 20_000 });
  });
});

function isDenied(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'policy_denied';
}
