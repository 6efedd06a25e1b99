import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Config } from '../../src/config.js';
import { type ClientView, createEngine } from '../../src/engine/index.js';
import { Standbys } from '../../src/pool/standbys.js';
import { DEAF, SLEEP, sayLine, shell } from '../support/fake-bpftrace.js';
import { bpftracesOf, descendantsOf, isAlive } from '../support/processes.js';
import { BPFTRACE } from '../support/server.js';
import { until } from '../support/until.js';

/** A bpftrace that was started before its program behaves as one that was started for it. */

const BOUND = { boundMs: 20_000 };
/** A stand-in waits for its program as bpftrace does: until the end of its input. */
const READ = 'while read -r line; do :; done';

interface Warm {
  me: ClientView;
  /** Why those that stood by were of no use. */
  lost: string[];
  /** Of those that stand by, which exist when this is called. */
  standing: () => Promise<number[]>;
}

/** An engine whose bpftrace is `path`, with `standby` of them standing by. */
async function warm(
  path: string,
  config: Partial<Config>,
  use: (warm: Warm) => Promise<void>,
): Promise<void> {
  const lost: string[] = [];
  const standby = config.standby ?? 1;
  const engine = createEngine(
    { bpftrace: path, concurrency: 4, ...config, standby },
    { onStandbyLost: why => lost.push(why) },
  );
  const me = engine.as('test');
  // The fakes are asked for their version too, with other arguments.
  const found = (): number[] =>
    descendantsOf(process.pid)
      .filter(({ command }) => command.endsWith(`${path} -f json -`))
      .map(({ pid }) => pid);
  const standing = async (): Promise<number[]> => {
    me.keepReady();
    return until('they stand by', 10_000, () => (found().length === standby ? found() : undefined));
  };
  try {
    await use({ me, lost, standing });
  } finally {
    await engine.close({ hurry: true });
  }
  await until('none is left', 5000, () => found().length === 0);
}

describe('a bpftrace that stood by', () => {
  test('is the one that runs the program, and another takes its place when nothing runs', async () => {
    await warm(BPFTRACE, {}, async ({ me, lost }) => {
      const standing = () => bpftracesOf(process.pid).map(({ pid }) => pid);
      me.keepReady();
      await until('one stands by', 10_000, () => standing().length === 1);
      const [first = 0] = standing();
      const id = me.submit({ program: 'interval:ms:50 { @ = count(); }', deadlineMs: 500 });
      const seen = new Set<number>();
      await until('it has ended', 20_000, () => {
        const now = standing();
        if (now.includes(first)) for (const pid of now) seen.add(pid);
        return !isAlive(first);
      });
      await me.untilEnded(id, BOUND);
      assert.deepEqual([...seen], [first], 'none is started that the program would see');
      await until('another stands by', 10_000, () => standing().some(pid => pid !== first));
      const { status, ended_by, maps, diagnostics, duration } = me.result(id);
      assert.deepEqual([status, ended_by, maps.length, diagnostics], ['completed', 'deadline', 1, []]);
      assert.ok(duration >= 0.5, `${duration} s`);
      assert.deepEqual(lost, []);
    });
  });

  test('two of them serve two programs at once', async () => {
    await warm(shell(READ, sayLine(), SLEEP), { standby: 2 }, async ({ me, standing }) => {
      const pids = await standing();
      const ids = [me.submit({ program: 'a' }), me.submit({ program: 'b' })];
      await Promise.all(ids.map(id => me.untilNews(id, 0, BOUND)));
      const ran = ids.map(id => Number(me.result(id).output[0]));
      assert.deepEqual(ran.sort(), pids.sort());
    });
  });

  test('is killed after the grace period when it ignores every signal', async () => {
    await warm(shell(READ, DEAF, sayLine(), SLEEP), { graceS: 0.3 }, async ({ me, standing }) => {
      const [pid] = await standing();
      const id = me.submit({ program: 'BEGIN', deadlineMs: 100 });
      await me.untilEnded(id, BOUND);
      const { status, reason, output } = me.result(id);
      assert.deepEqual([status, reason, output], ['failed', 'unresponsive', [`${pid}`]]);
    });
  });

  test('is given its time to start from its program on, and can be stopped while it starts', async () => {
    const slow = shell(READ, SLEEP);
    await warm(slow, { startTimeoutS: 1 }, async ({ me, standing }) => {
      await standing();
      const begun = performance.now();
      const id = me.submit({ program: 'BEGIN' });
      await me.untilEnded(id, BOUND);
      assert.equal(me.result(id).reason, 'start_timeout');
      assert.ok(performance.now() - begun >= 1000, 'not less than for any other');
      const [pid] = await standing();
      const stopped = me.submit({ program: 'BEGIN' });
      await until('it is starting', 5000, () => me.result(stopped).status === 'starting');
      me.stop(stopped);
      await me.untilEnded(stopped, BOUND);
      assert.equal(me.result(stopped).status, 'stopped');
      assert.equal(isAlive(pid ?? 0), false);
    });
  });

  test('what it said before its program came belongs to the program', async () => {
    const warning = "echo 'stdin:1:1-2: WARNING: said early' >&2";
    await warm(shell(warning, READ, sayLine(), SLEEP), {}, async ({ me, standing }) => {
      const [pid] = await standing();
      const id = me.submit({ program: 'BEGIN', deadlineMs: 100 });
      await me.untilEnded(id, BOUND);
      const { diagnostics, output } = me.result(id);
      assert.deepEqual(
        diagnostics.map(({ message }) => message),
        ['said early'],
      );
      assert.deepEqual(output, [`${pid}`]);
    });
  });
});

describe('a bpftrace that stood by and is of no use', () => {
  test('it printed something before it had a program', async () => {
    await warm(shell(sayLine(), SLEEP), {}, async ({ me, lost }) => {
      me.keepReady();
      await until('it is lost', 10_000, () => lost.length > 0);
      assert.match(lost[0] ?? '', /printed something before/);
      const id = me.submit({ program: 'BEGIN' });
      await me.untilNews(id, 0, BOUND);
      assert.equal(me.result(id).lines_total, 1);
    });
  });

  test('it is killed as its program comes, twelve times at another moment: the program runs all the same', async t => {
    await warm(shell(READ, sayLine('ran'), SLEEP), {}, async ({ me, lost, standing }) => {
      for (let i = 0; i < 12; i++) {
        // Three in a row that are lost would end it: every other one is of use.
        const [pid = 0] = await standing();
        if (i % 2 === 0) process.kill(pid, 'SIGKILL');
        if (i % 4 === 0) await until('the kernel has ended it', 5000, () => !isAlive(pid));
        const id = me.submit({ program: 'BEGIN' });
        await me.untilNews(id, 0, BOUND);
        await me.untilSettled(id, BOUND);
        const { status, output, error_message } = me.result(id);
        assert.deepEqual([status, output], ['running', ['ran']], error_message);
        me.stop(id);
        await me.untilEnded(id, BOUND);
      }
      t.diagnostic(`${lost.length} lost: ${[...new Set(lost)].join('; ')}`);
      assert.equal(lost.length, 6);
    });
  });

  test('three in a row that end of themselves: none is started for a while', async () => {
    await warm(shell('exit 3'), {}, async ({ me, lost }) => {
      await until('it is given up', 10_000, () => {
        me.keepReady();
        return lost.length === 4;
      });
      assert.match(lost[2] ?? '', /^it ended, exit code 3$/);
      assert.match(lost[3] ?? '', /none is started for 10 minutes/);
    });
  });

  test('settings that have changed since: the program gets them', async t => {
    t.after(() => delete process.env.BPFTRACE_STRLEN);
    await warm(BPFTRACE, {}, async ({ me, lost }) => {
      me.keepReady();
      await until('one stands by', 10_000, () => bpftracesOf(process.pid).length === 1);
      process.env.BPFTRACE_STRLEN = '16';
      const id = me.submit({ program: 'BEGIN { printf("%s\\n", str($1)); exit(); }' });
      await me.untilEnded(id, BOUND);
      process.env.BPFTRACE_STRLEN = '17';
      assert.notEqual(me.result(id).status, 'running');
      assert.deepEqual(lost, []);
    });
  });
});

describe('how long one stands by', () => {
  test('one that nobody wants is ended, and no other is started before it is asked for', async () => {
    let started = 0;
    const standbys = new Standbys({
      most: 1,
      idleMs: 50,
      plan: () => ({ spawn: { command: 'none', args: [], env: {} }, identity: 'the same' }),
      // No thread: the task lasts until its port is closed, as that of one does.
      start: ({ port }) => {
        started++;
        port.on('message', () => {});
        return new Promise(resolve => port.once('close', () => resolve({})));
      },
      onLost: why => assert.fail(why),
    });
    standbys.keepReady();
    standbys.keepReady();
    assert.deepEqual([standbys.count, started], [1, 1]);
    await until('it is ended', 5000, () => standbys.count === 0);
    assert.equal(started, 1);
    standbys.keepReady();
    assert.deepEqual([standbys.count, started], [1, 2]);
    await standbys.dismissAll();
    assert.equal(standbys.count, 0);
  });
});
