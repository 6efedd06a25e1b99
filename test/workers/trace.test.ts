import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createEngine } from '../../src/engine/index.js';
import { DEAF, executable, groupMembers, runFake, SLEEP, sayLine, shell } from '../support/fake-bpftrace.js';
import { descendantsOf, isAlive } from '../support/processes.js';
import { until } from '../support/until.js';

/** How long the machine may make any step of ours wait; far less than the bounds that are tested. */
const SLACK_MS = 3000;

/** It is asked for its version too, and would leave another behind then. */
const NO_VERSION = '[ "$1" != --version ] || exit 0';

const pidOf = (output: readonly string[]): number => Number(output[0]);

function lasted(ms: number, fromMs: number, toMs: number): void {
  assert.ok(ms >= fromMs && ms <= toMs, `${Math.round(ms)} ms, expected ${fromMs} to ${toMs}`);
}

describe('trace: the ending ladder', () => {
  test('a child that ignores every signal is killed after the grace period', async () => {
    const deaf = shell(DEAF, sayLine(), SLEEP);
    const program = 'profile:hz:99 { @[ustack] = count(); }';
    const { result, ms } = await runFake(deaf, { deadlineMs: 100, graceS: 0.3, program });
    assert.deepEqual([result.status, result.reason], ['failed', 'unresponsive']);
    assert.match(
      result.error_message ?? '',
      /SIGINT.* 0\.3 s .*killed: maps .* lost; .* user stacks .*pid == 42/,
    );
    assert.equal(result.exit_code, null);
    lasted(result.duration * 1000, 95, 100 + SLACK_MS);
    lasted(ms, 400, 400 + SLACK_MS);
    assert.equal(isAlive(pidOf(result.output)), false);
  });

  test('a stop of a child that ignores every signal keeps its lines and says what was lost', async () => {
    const deaf = shell(DEAF, sayLine(), SLEEP);
    const { result } = await runFake(deaf, {
      graceS: 0.3,
      during: async (me, id) => {
        await me.untilNews(id, 0, { boundMs: 10_000 });
        me.stop(id);
        await until('it is ending', 5000, () => me.result(id).ending);
      },
    });
    assert.deepEqual([result.status, result.ended_by, result.lines_total], ['stopped', 'stop', 1]);
    assert.match(result.error_message ?? '', /killed: maps .* lost/);
  });

  test('a child that ignores SIGINT and shows progress is left to finish, however short the grace period', async () => {
    const line = `sleep 0.1; ${sayLine('working')}`;
    const busy = shell(
      DEAF,
      sayLine(),
      `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do ${line}; done`,
      'exit 0',
    );
    const { result, ms } = await runFake(busy, { deadlineMs: 100, graceS: 0.5 });
    assert.deepEqual([result.status, result.ended_by, result.exit_code], ['completed', 'deadline', 0]);
    assert.equal(result.lines_total, 16);
    lasted(ms, 1500, 1500 + SLACK_MS);
  });

  test('progress without end is ended by the bound for all of it', async () => {
    const busy = shell(DEAF, sayLine(), `while :; do sleep 0.1; ${sayLine('working')}; done`);
    const { result, ms } = await runFake(busy, { deadlineMs: 100, graceS: 0.5, graceMaxS: 1.5 });
    assert.deepEqual([result.status, result.reason], ['failed', 'unresponsive']);
    lasted(ms, 1600, 1600 + SLACK_MS);
    assert.deepEqual(groupMembers(pidOf(result.output)), []);
  });

  test('a shell in front of bpftrace that dies of our signal after it is the normal end at the deadline', async () => {
    const { result } = await runFake(shell(sayLine(), SLEEP), { deadlineMs: 100 });
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline']);
    assert.equal(result.exit_code, null);
  });

  test('one that never attaches is ended by the start timeout', async () => {
    const silent = shell("echo 'stdin:1:1-2: WARNING: this takes long' >&2", SLEEP);
    const { result, ms } = await runFake(silent, { startTimeoutS: 0.3 });
    assert.deepEqual([result.status, result.reason], ['failed', 'start_timeout']);
    assert.equal(
      result.error_message,
      'not attached within the start timeout; bpftrace said: 1:1: this takes long',
    );
    lasted(ms, 300, 300 + SLACK_MS);
  });
});

describe('trace: what a child leaves behind', () => {
  test('a process of its group that holds the pipes is ended with it', async () => {
    const leaver = shell(NO_VERSION, 'sleep 1000 &', sayLine("'$!'"), sayLine(), sayLine('done'), 'exit 0');
    const { result, ms } = await runFake(leaver);
    assert.deepEqual([result.status, result.ended_by, result.lines_total], ['completed', 'exit', 3]);
    lasted(ms, 0, SLACK_MS);
    const [sleeper, leader] = result.output.map(Number);
    assert.equal(isAlive(sleeper ?? 0), false, 'the grandchild');
    assert.deepEqual(groupMembers(leader ?? 0), []);
  });

  test('a process of another session that holds the pipes is not waited for', async t => {
    // setsid starts no process of its own here: a shell's background job leads no group.
    const untilItLeads = 'until [ "$(cut -d" " -f6 /proc/$!/stat)" = $! ]; do sleep 0.01; done';
    const lines = [sayLine("'$!'"), sayLine(), sayLine('done')];
    const leaver = shell(NO_VERSION, 'setsid sleep 1000 &', untilItLeads, ...lines, 'exit 0');
    const { result, ms } = await runFake(leaver);
    const sleeper = pidOf(result.output);
    t.after(() => process.kill(sleeper, 'SIGKILL'));
    assert.deepEqual([result.status, result.ended_by, result.lines_total], ['completed', 'exit', 3]);
    lasted(ms, 1900, 2000 + SLACK_MS);
    assert.equal(isAlive(sleeper), true, 'it left the group by itself: not ours to end');
  });

  test('200 starts and stops leave no thread, no file and no process', async t => {
    const engine = createEngine({ bpftrace: shell(sayLine(), SLEEP), concurrency: 2 });
    const me = engine.as('test');
    const bound = { boundMs: 10_000 };
    const one = async (): Promise<void> => {
      const id = me.submit({ program: 'BEGIN' });
      await me.untilSettled(id, bound);
      me.stop(id);
      await me.untilEnded(id, bound);
      assert.equal(me.result(id, { limit: 0 }).status, 'stopped');
    };
    const held = () => ({
      threads: readdirSync('/proc/self/task').length,
      files: readdirSync('/proc/self/fd').length,
      children: descendantsOf(process.pid).length,
    });
    try {
      await Promise.all([one(), one(), one(), one()]);
      const before = held();
      for (let i = 0; i < 100; i++) await Promise.all([one(), one()]);
      const after = await until('as many are held as before', 5000, () => {
        const now = held();
        // V8 and libuv may have started a helper thread by now; a leak would be 200 of anything.
        const same = now.files <= before.files + 2 && now.children === before.children;
        return same && now.threads <= before.threads + 2 ? now : undefined;
      });
      t.diagnostic(`before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
    } finally {
      await engine.close();
    }
    // The fake was asked for its version, too, and killed with the engine.
    await until('no process is left', 5000, () => descendantsOf(process.pid).length === 0);
  });
});

describe('trace: a child that can not be started', () => {
  test('the path disappears between lookup and start', async () => {
    const path = shell(sayLine(), SLEEP);
    const engine = createEngine({ bpftrace: path, concurrency: 1 });
    try {
      const me = engine.as('test');
      const [first, second] = [me.submit({ program: 'BEGIN' }), me.submit({ program: 'BEGIN' })];
      await me.untilNews(first, 0, { boundMs: 10_000 });
      rmSync(path);
      me.stop(first);
      await me.untilEnded(second, { boundMs: 10_000 });
      const { status, reason, error_message } = me.result(second);
      assert.deepEqual([status, reason], ['failed', 'start_failed']);
      assert.equal(
        error_message,
        `bpftrace could not be started: setpriv: failed to execute ${path}: No such file or directory`,
      );
    } finally {
      await engine.close({ hurry: true });
    }
  });

  const NOT_RUNNABLE: Record<string, string | Uint8Array> = {
    'a script whose interpreter is missing': '#!/no/such/interpreter\n',
    'a program of no format that this machine knows': Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 9, 9, 9, 9),
    'bytes that a shell takes for a script': 'if then\n',
  };
  for (const [what, content] of Object.entries(NOT_RUNNABLE)) {
    test(what, async () => {
      const path = executable(content);
      const { result } = await runFake(path);
      assert.deepEqual([result.status, result.reason], ['failed', 'start_failed'], result.error_message);
      assert.match(result.error_message ?? '', /^bpftrace could not be started: /);
      assert.ok(result.error_message?.includes(path), result.error_message);
    });
  }
});
