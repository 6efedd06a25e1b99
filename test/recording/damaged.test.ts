import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Result } from '../../src/engine/index.js';
import { BPFTRACE, MAIN } from '../support/server.js';
import { withEngine } from '../support/with-engine.js';

const BOUND = { boundMs: 60_000 };
const TICKS = { program: 'interval:ms:50 { printf("tick\\n"); }', deadlineMs: 500 };
const HEAD_BYTES = 13;

/** A folder that was copied in part, edited or made by something else: what it holds is not made up for. */
describe('a damaged recording', () => {
  let folder = '';
  let whole = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'damaged-'));
    whole = join(folder, 'whole');
    const result = await traced({ record: whole });
    assert.deepEqual([result.status, result.ended_by], ['completed', 'deadline'], result.error_message);
  });
  after(() => rmSync(folder, { recursive: true }));

  async function traced(options: { record: string } | { replay: string }): Promise<Result> {
    return withEngine({ ...options, replayPace: 'fast' }, async engine => {
      const view = engine.as('test');
      const id = view.submit(TICKS);
      await view.untilEnded(id, BOUND);
      return view.result(id);
    });
  }

  /** @param spoil gets the one trace */
  function copy(name: string, spoil?: (bytes: Buffer) => Buffer): string {
    const place = join(folder, name);
    cpSync(whole, place, { recursive: true });
    const traces = join(place, 'traces');
    const [trace = ''] = readdirSync(traces);
    if (spoil) writeFileSync(join(traces, trace), spoil(readFileSync(join(traces, trace))));
    return place;
  }

  test('a hole in the middle: it fails, and is not shown as a program that said less', async () => {
    assert.ok((await traced({ replay: copy('same') })).lines_total > 5);
    for (const [name, spoil] of [
      ['cut', (bytes: Buffer, at: number) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 20)])],
      ['zeros', (bytes: Buffer, at: number) => Buffer.from(bytes).fill(0, at, at + 30)],
    ] as const) {
      const place = copy(name, bytes => {
        // The fourth frame: the program was attached before.
        let at = bytes.indexOf('\n') + 1;
        for (let frame = 0; frame < 3; frame++) at += HEAD_BYTES + bytes.readUInt32LE(at + 9);
        return spoil(bytes, at);
      });
      const { status, reason, error_message: message = '' } = await traced({ replay: place });
      assert.deepEqual([status, reason], ['failed', 'start_failed'], name);
      assert.match(message, /its recording can't be read: it is damaged at byte \d+$/);
    }
  });

  test('a first line that lacks something: it is counted as broken, and the others are served', async () => {
    const place = copy('header', bytes => {
      const end = bytes.indexOf('\n');
      const { program: _program, ...rest } = JSON.parse(bytes.toString('utf8', 0, end));
      return Buffer.concat([Buffer.from(JSON.stringify(rest)), bytes.subarray(end)]);
    });
    await withEngine({ replay: place }, async engine => {
      const view = engine.as('test');
      const { replay } = await view.info();
      assert.deepEqual([replay?.broken, replay?.recordings], [1, 0]);
      assert.throws(
        () => view.submit(TICKS),
        /none of the 0 that were recorded; 1 more files there are not whole/,
      );
    });
  });

  test('a folder without its programs is not taken for one in which nothing was recorded', async () => {
    const place = copy('in part');
    rmSync(join(place, 'traces'), { recursive: true });
    await assert.rejects(traced({ replay: place }), /^RecordingError: .*its programs can't be read \(ENOENT/);
  });

  test('answers of bpftrace that are none count as not recorded', async () => {
    for (const content of ['', 'null', '{}', '{"stdout":5}']) {
      const place = mkdtempSync(join(folder, 'answers-'));
      cpSync(whole, place, { recursive: true });
      const answers = join(place, 'answers');
      assert.ok(readdirSync(answers).length > 0);
      for (const name of readdirSync(answers)) writeFileSync(join(answers, name), content);
      await withEngine({ replay: place }, async engine => {
        const view = engine.as('test');
        await assert.rejects(
          view.probes({ filter: 'tracepoint:sched:*' }),
          { code: 'not_recorded' },
          content,
        );
        assert.ok((await view.helpers('str')).length > 0);
      });
    }
  });

  for (const [text, replayed] of [
    ['null', /host\.json is of no format/],
    ['', /it holds no recording \(/],
    ['{"format":"bpftrace-mcp recordings","version":1}', /host\.json is damaged \(kernel: .*copy the folder/],
    ['{"format":"bpftrace-mcp recordings","version":2}', /version 2; this server reads .*version 1/],
  ] as const) {
    test(`host.json is ${JSON.stringify(text)}: neither replayed nor recorded to, in plain words`, async () => {
      const place = mkdtempSync(join(folder, 'host-'));
      cpSync(whole, place, { recursive: true });
      writeFileSync(join(place, 'host.json'), text);
      await assert.rejects(traced({ replay: place }), replayed);
      await assert.rejects(traced({ record: place }), /^RecordingError: --record .*name another folder/);
    });
  }

  test('on a full disk run and batch say what was not recorded, and nothing takes its room', t => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'none', disk]).status !== 0)
      return t.skip('no rights to mount');
    try {
      const text = JSON.stringify({ program: TICKS.program, timeout: 0.5 });
      for (const [n, args, input] of [
        [1, ['run', '-e', TICKS.program, '--timeout', '0.5'], ''],
        [2, ['batch', '-'], text],
      ] as const) {
        const recording = join(disk, `${n}`);
        const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args, '--record', recording], {
          encoding: 'utf8',
          input,
          timeout: 60_000,
          env: { ...process.env, BPFTRACE_MCP_BPFTRACE: BPFTRACE },
        });
        assert.equal(status, 0, stderr);
        assert.match(stderr, /not recorded: what the tools need of this host: ENOSPC/);
        const files = readdirSync(recording, { recursive: true, encoding: 'utf8' });
        assert.deepEqual(
          files.filter(name => name.endsWith('.part')),
          [],
        );
      }
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
