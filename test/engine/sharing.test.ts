import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type ClientView, type EndReport, Refusal } from '../../src/engine/index.js';
import { bpftracesOf } from '../support/processes.js';
import { until } from '../support/until.js';
import { withEngine } from '../support/with-engine.js';

const BOUND = { boundMs: 60_000 };
const TICKS = 'interval:ms:50 { @ticks = count(); printf("tick\\n"); }';
const LONG = { program: TICKS, deadlineMs: 50_000 };

function children(): number {
  return bpftracesOf(process.pid).filter(({ state }) => state !== 'Z').length;
}

async function attached(...asked: (readonly [ClientView, string])[]): Promise<void> {
  await Promise.all(asked.map(([view, id]) => view.untilSettled(id, BOUND)));
  for (const [view, id] of asked)
    assert.equal(view.glance(id).status, 'running', view.result(id).error_message);
}

// One after another: children of this process are counted.
describe('sharing', { concurrency: false }, () => {
  test('50 clients, one child; 49 leave with what was there, it lives; the 50th leaves, it ends', () =>
    withEngine({}, async engine => {
      // Snapshots depend on bpftrace's version, and no program waits long for that.
      await engine.as('first').helpers();
      const all = Array.from({ length: 50 }, (_, n) => {
        const view = engine.as(`client ${n}`);
        return [view, view.submit(LONG)] as const;
      });
      await attached(...all);
      assert.equal(children(), 1);
      assert.equal(new Set(all.map(([, id]) => id)).size, 50);
      const [[last, lastId], ...others] = all as [(typeof all)[0], ...typeof all];
      await last.untilNews(lastId, 10, BOUND);
      for (const [view, id] of others) view.stop(id);
      await Promise.all(others.map(([view, id]) => view.untilEnded(id, BOUND)));
      for (const [view, id] of others) {
        const { status, ended_by, shared, lines_total, maps, snapshot_at, error_message } = view.result(id);
        assert.deepEqual([status, ended_by, shared, error_message], ['stopped', 'stop', true, undefined]);
        assert.ok(lines_total > 10);
        assert.ok(Number(maps[0]?.value) >= 10, `${maps[0]?.value} of ${lines_total}`);
        assert.ok((snapshot_at ?? 0) > 0);
      }
      assert.equal(children(), 1);
      const before = last.result(lastId);
      assert.equal(before.status, 'running');
      await last.untilNews(lastId, before.lines_total, BOUND);
      last.stop(lastId);
      await last.untilEnded(lastId, BOUND);
      assert.equal(children(), 0);
      const { status, snapshot_at, maps, lines_total } = last.result(lastId);
      assert.deepEqual([status, snapshot_at], ['stopped', undefined]);
      assert.ok(Number(maps[0]?.value) >= lines_total);
      const [view, id] = others[0] ?? [];
      assert.ok(view && id && view.result(id).lines_total < lines_total, 'a copy does not grow');
    }));

  test('what ends by itself ends for all at once, and is kept once; nobody reads what is not theirs', () =>
    withEngine({}, async engine => {
      const views = ['a', 'b', 'c'].map(name => engine.as(name));
      const long = `interval:ms:1 { @n++; printf("${'x'.repeat(60)}\\n"); if (@n > 2000) { exit(); } }`;
      const ids = views.map(view => view.submit({ program: long }));
      const alone = engine.as('d').submit({ program: long, share: 'never' });
      await Promise.all(views.map((view, n) => view.untilEnded(ids[n] ?? '', BOUND)));
      await engine.as('d').untilEnded(alone, BOUND);
      const results = views.map((view, n) => view.result(ids[n] ?? '', { limit: 1000 }));
      const [first] = results;
      for (const { execution_id: _id, ...rest } of results) {
        const { execution_id: _other, ...same } = first ?? {};
        assert.deepEqual(rest, same);
      }
      assert.deepEqual([first?.status, first?.ended_by, first?.shared], ['completed', 'exit', true]);
      assert.equal(engine.as('d').result(alone).shared, undefined);
      const { finished, finished_bytes: bytes } = (await engine.as('a').info()).queue;
      assert.equal(finished, 4);
      const lines = (first?.lines_total ?? 0) * 62;
      assert.ok(
        bytes > 2 * lines && bytes < 3 * lines,
        `${bytes} bytes for ${lines} bytes of lines, held twice`,
      );
      assert.throws(() => engine.as('b').result(ids[0] ?? ''), isUnknown);
      assert.throws(() => engine.as('b').stop(ids[0] ?? ''), isUnknown);
    }));

  test('another deadline, number of lines or policy, or a wish to be alone, is another child; so is the second of the same view', () =>
    withEngine({ policy: 'full', concurrency: 16 }, async engine => {
      const views = Array.from({ length: 7 }, (_, n) => engine.as(`client ${n}`));
      const [a, b, c, d, e, f] = views as [
        ClientView,
        ClientView,
        ClientView,
        ClientView,
        ClientView,
        ClientView,
      ];
      const narrow = engine.as('narrow', { policy: 'observe' });
      const asked = [
        [a, a.submit(LONG)],
        [a, a.submit(LONG)],
        [b, b.submit({ ...LONG, deadlineMs: 50_001 })],
        [c, c.submit({ ...LONG, maxLines: 10 })],
        [d, d.submit({ ...LONG, share: 'never' })],
        [e, e.submit({ ...LONG, program: `${TICKS} ` })],
        [narrow, narrow.submit(LONG)],
      ] as const;
      assert.equal((await engine.as('a').info()).queue.running, asked.length);
      await attached(...asked);
      const late = f.submit(LONG);
      assert.equal((await f.info()).queue.running, asked.length + 1, 'the others are attached already');
      assert.ok([...asked, [f, late] as const].every(([view, id]) => view.result(id).shared === undefined));
    }));

  test('under the policy unsafe, and where the operator says so, nobody shares', async () => {
    for (const options of [{ policy: 'unsafe' }, { share: 'off' }] as const) {
      await withEngine(options, async engine => {
        const asked = [engine.as('a'), engine.as('b')].map(view => [view, view.submit(LONG)] as const);
        await attached(...asked);
        assert.equal(children(), 2);
      });
    }
  });

  test('one that runs is joined by who allows it: it is told since when, and ends with the child', () =>
    withEngine({}, async engine => {
      const [a, b, again] = [engine.as('a'), engine.as('b'), engine.as('a')];
      const program = { program: TICKS, deadlineMs: 2500 };
      const id = a.submit(program);
      await a.untilNews(id, 5, BOUND);
      const joined = b.submit({ ...program, share: 'running' });
      const other = again.submit({ ...program, share: 'running' });
      const { status, joined_at = 0, shared, lines_total } = b.result(joined);
      assert.deepEqual([status, shared], ['running', true]);
      assert.ok(joined_at > 0.1 && lines_total > 5, `${joined_at} s, ${lines_total} lines`);
      await Promise.all([b.untilEnded(joined, BOUND), again.untilEnded(other, BOUND)]);
      assert.equal(a.result(id).ended_by, 'deadline');
      assert.deepEqual(b.result(joined).maps, a.result(id).maps);
      assert.equal(b.result(joined).lines_total, a.result(id).lines_total);
      assert.equal(a.result(id).joined_at, undefined);
    }));

  test('one that is being ended is joined by nobody: it has nothing more to show', () =>
    withEngine({}, async engine => {
      const [a, b] = [engine.as('a'), engine.as('b')];
      const program = { program: TICKS, deadlineMs: 500 };
      const id = a.submit(program);
      await attached([a, id]);
      // It can't follow SIGINT for now.
      const pids = bpftracesOf(process.pid).map(({ pid }) => pid);
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      await until('its deadline', 10_000, () => a.result(id).ending === true);
      const own = b.submit({ ...program, share: 'running' });
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      await Promise.all([a.untilEnded(id, BOUND), b.untilEnded(own, BOUND)]);
      const { shared, joined_at, ended_by } = b.result(own);
      assert.deepEqual([shared, joined_at, ended_by], [undefined, undefined, 'deadline']);
    }));

  test('a recording is shared by those who ask the same of it, and told of to each what differs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shared-recording-'));
    try {
      const recorded = { program: TICKS, deadlineMs: 1000 };
      await withEngine({ record: folder }, async engine => {
        const view = engine.as('recorder');
        await view.untilEnded(view.submit(recorded), BOUND);
      });
      await withEngine({ replay: folder }, async engine => {
        const views = ['a', 'b', 'c'].map(name => engine.as(name));
        const asked = [{ ...recorded, deadlineMs: 5000 }, { ...recorded, deadlineMs: 5000 }, recorded];
        const ids = views.map((view, n) => view.submit(asked[n] ?? recorded));
        await Promise.all(views.map((view, n) => view.untilEnded(ids[n] ?? '', BOUND)));
        const results = views.map((view, n) => view.result(ids[n] ?? ''));
        assert.deepEqual(
          results.map(({ shared }) => shared),
          [true, true, undefined],
        );
        const note = 'it was recorded with a timeout of 1 s, not 5 s';
        assert.deepEqual(
          results.map(({ replay_note }) => replay_note),
          [note, note, undefined],
        );
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('while it waits each can leave, and it waits for who is left; it starts at the first turn of any', () =>
    withEngine({ concurrency: 1 }, async engine => {
      const [a, b, c] = [engine.as('a'), engine.as('b'), engine.as('c')];
      const running = a.submit({ program: 'interval:ms:50 { @ = count(); }', deadlineMs: 50_000 });
      const behind = [1, 2].map(n => a.submit({ program: `interval:ms:5${n} { @ = count(); }` }));
      const [first, second, third] = [a.submit(LONG), b.submit(LONG), c.submit(LONG)];
      assert.equal((await a.info()).queue.queued, 5);
      c.stop(third);
      assert.deepEqual([c.result(third).status, c.result(third).lines_total], ['stopped', 0]);
      a.stop(first);
      assert.deepEqual(
        [a.result(first).status, b.result(second).status, b.result(second).queue_position],
        ['stopped', 'queued', 2],
      );
      a.stop(running);
      await until(
        'one that was there before runs',
        30_000,
        () => a.glance(behind[0] ?? '').status === 'running',
      );
      a.stop(behind[0] ?? '');
      await until('it is its turn', 30_000, () => b.glance(second).status === 'running');
      assert.equal(b.result(second).shared, true);
    }));

  test('who leaves a child that only starts ends at once, with nothing; the others see it attached', () =>
    withEngine({}, async engine => {
      const [a, b] = [engine.as('a'), engine.as('b')];
      const [first, second] = [a.submit(LONG), b.submit(LONG)];
      a.stop(first);
      await a.untilEnded(first, BOUND);
      assert.deepEqual([a.result(first).status, a.result(first).lines_total], ['stopped', 0]);
      await attached([b, second]);
    }));

  test('a program that does not compile fails for all, and a shutdown ends all', async () => {
    const ended: EndReport[] = [];
    await withEngine(
      {},
      async engine => {
        const [a, b] = [engine.as('a'), engine.as('b')];
        const broken = { program: 'BEGIN { @ = 1' };
        const [one, two] = [a.submit(broken), b.submit(broken)];
        await Promise.all([a.untilEnded(one, BOUND), b.untilEnded(two, BOUND)]);
        assert.deepEqual(
          [a.result(one).reason, b.result(two).diagnostics],
          ['compile_failed', a.result(one).diagnostics],
        );
        await attached([a, a.submit(LONG)], [b, b.submit(LONG)]);
        // Shutting down while one of them is about to leave.
        const [open] = a.list('running');
        a.stop(open?.execution_id ?? '');
      },
      ended,
    );
    assert.equal(ended.length, 4);
    assert.equal(children(), 0);
  });

  test('the audit has a line for each, which names the execution whose child it was', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-sharing-'));
    const auditLog = join(folder, 'audit.log');
    const ids = await withEngine({ auditLog }, async engine => {
      const asked = ['a', 'b'].map(name => engine.as(name)).map(view => [view, view.submit(LONG)] as const);
      await attached(...asked);
      return asked.map(([, id]) => id);
    });
    const lines = readFileSync(auditLog, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
      .filter(({ event }) => event !== 'started');
    rmSync(folder, { recursive: true });
    assert.deepEqual(
      lines.map(({ event, client, execution, childOf }) => [event, client, execution, childOf]).sort(),
      [
        ['ended', 'a', ids[0], ids[0]],
        ['ended', 'b', ids[1], ids[0]],
        ['submitted', 'a', ids[0], undefined],
        ['submitted', 'b', ids[1], ids[0]],
      ],
    );
  });
});

function isUnknown(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'unknown_execution';
}
