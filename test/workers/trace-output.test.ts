import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { folder, runFake, SLEEP, sayLine, shell } from '../support/fake-bpftrace.js';

/** A fake that prints these very bytes and ends. */
function printing(name: string, bytes: Uint8Array | string, exitCode = 0): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return shell(`cat '${file}'`, `exit ${exitCode}`);
}

describe('trace: how a child ends of itself', () => {
  test('it exits before it has read its program', async () => {
    // More than a pipe holds, so that writing it fails.
    const program = `BEGIN //${'x'.repeat(4_000_000)}`;
    const options = { program, maxProgramBytes: 8_000_000 };
    const clean = await runFake(shell('exit 0'), options);
    assert.deepEqual(
      [clean.result.status, clean.result.reason],
      ['failed', 'start_failed'],
      'that was no bpftrace',
    );
    const failing = await runFake(shell("echo 'ERROR: no time to read' >&2", 'exit 1'), options);
    const { reason, error_message, exit_code } = failing.result;
    assert.deepEqual([reason, error_message, exit_code], ['compile_failed', 'no time to read', 1]);
  });

  test('it closes its standard output early and runs on to the deadline', async () => {
    const { result, ms } = await runFake(shell(sayLine(), 'exec >&-', SLEEP), { deadlineMs: 500 });
    assert.deepEqual([result.status, result.ended_by, result.lines_total], ['completed', 'deadline', 1]);
    assert.ok(ms >= 500, `${ms} ms`);
  });

  test('words on standard error after standard output is closed, and exit code 3: both are kept', async () => {
    const { result } = await runFake(
      shell(sayLine(), 'exec >&-', 'sleep 0.1', 'echo late words >&2', 'exit 3'),
    );
    assert.deepEqual([result.status, result.reason, result.exit_code], ['failed', 'died', 3]);
    assert.equal(result.error_message, 'bpftrace ended with exit code 3: late words');
    assert.deepEqual(result.diagnostics, [{ severity: 'note', code: 'other', message: 'late words' }]);
  });

  test('SIGSEGV', async () => {
    const { result } = await runFake(shell('ulimit -c 0', sayLine(), 'kill -SEGV $$', SLEEP));
    assert.deepEqual([result.status, result.reason, result.exit_code], ['failed', 'died', null]);
    assert.match(
      result.error_message ?? '',
      /^bpftrace was ended by SIGSEGV, not by this server; that is a fault of its own/,
    );
    assert.equal(result.lines_total, 1, 'what it had printed is there');
  });

  test('exit code 0 with nothing but noise on standard error is a clean end', async () => {
    const noise = "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace.";
    const { result } = await runFake(shell(sayLine(), `echo "${noise}" >&2`, 'exit 0'));
    assert.deepEqual([result.status, result.ended_by, result.exit_code], ['completed', 'exit', 0]);
    assert.deepEqual(result.diagnostics, []);
    assert.equal(result.error_message, undefined);
  });

  const ATTACHED = '{"type": "attached_probes", "data": {"probes": 2}}\n';

  test('attached_probes, then an error and exit code 255: attaching failed', async () => {
    const fake = shell(
      `printf '${ATTACHED.replace('\n', '\\n')}'`,
      "echo 'ERROR: Error attaching probe: x' >&2",
      'exit 255',
    );
    const { result } = await runFake(fake);
    assert.deepEqual([result.status, result.reason, result.exit_code], ['failed', 'attach_failed', 255]);
    assert.equal(result.error_message, 'Error attaching probe: x');
  });

  test("attached_probes, then an exit code and no word of an error: the program's own exit(3)", async () => {
    const { result } = await runFake(printing('exit-3', ATTACHED, 3));
    assert.deepEqual([result.status, result.ended_by, result.exit_code], ['completed', 'exit', 3]);
  });
});

describe('trace: output that is not as it should be', () => {
  test('garbage, NUL bytes, invalid UTF-8, records that are none, no newline at the end', async () => {
    const bytes = Buffer.concat([
      Buffer.from('no record\n\n\0NUL\0\n'),
      Buffer.of(0xff, 0xfe, 0x21, 0x0a),
      Buffer.from('{"type": "printf"\n{"type": "map", "data": 7}\n{"type": "printf", "data": "whole\\n"}\n'),
      Buffer.from('{"type": "printf", "data": "no newline in it"}\n'),
      Buffer.from('the end'),
    ]);
    const { result } = await runFake(printing('garbage', bytes));
    assert.equal(result.status, 'completed');
    assert.deepEqual(result.output, [
      'no record',
      '\\u0000NUL\\u0000',
      '\\xff\\xfe!',
      '{"type": "printf"',
      '{"type": "map", "data": 7}',
      'whole',
      'no newline in it',
      'the end',
    ]);
    assert.deepEqual(result.maps, []);
  });

  test('a map that was cut off while it was printed does not replace the whole one', async () => {
    const whole = '{"type": "map", "data": {"@": {"a": 1, "b": 2}}}\n';
    const torn = '{"type": "map", "data": {"@": {"a": 5, "b"';
    const { result } = await runFake(printing('torn', whole + torn, 1));
    assert.deepEqual(result.maps[0]?.entries, [
      { key: ['b'], value: 2 },
      { key: ['a'], value: 1 },
    ]);
    assert.equal(result.output.at(-1), torn);
    assert.equal(result.losses?.lines_truncated, 1);
  });

  test('a map whose one key has 30 MB', async () => {
    const map = `{"type": "map", "data": {"@": {"${'k'.repeat(30_000_000)}": 1, "small": 2}}}\n`;
    const { result } = await runFake(printing('big-key', map));
    assert.equal(result.status, 'completed', result.error_message);
    assert.deepEqual(result.maps[0]?.entries, [{ key: ['small'], value: 2 }]);
    assert.equal(result.maps[0]?.omitted?.entries, 1);
  });

  test('a line of 100 MB is cut, memory stays bounded, and the main thread answers meanwhile', async t => {
    const flood = shell(sayLine(), "head -c 100000000 /dev/zero | tr '\\0' x", 'echo', sayLine('after'));
    const rssBefore = process.memoryUsage.rss();
    let rssMost = rssBefore;
    let gapMost = 0;
    let answers = 0;
    const { result, ms } = await runFake(flood, {
      during: async (me, id) => {
        for (let last = performance.now(); me.result(id).ended_by === undefined; answers++) {
          await sleep(5);
          gapMost = Math.max(gapMost, performance.now() - last);
          last = performance.now();
          rssMost = Math.max(rssMost, process.memoryUsage.rss());
        }
      },
    });
    const grownMb = Math.round((rssMost - rssBefore) / 1e6);
    t.diagnostic(
      `${Math.round(ms)} ms, ${answers} answers, longest gap ${Math.round(gapMost)} ms, ${grownMb} MB more`,
    );
    assert.equal(result.status, 'completed');
    assert.equal(result.lines_total, 3);
    assert.equal(result.losses?.lines_truncated, 1);
    assert.equal(result.output[1], 'x'.repeat(65_536));
    assert.equal(result.output[2], 'after');
    // At most 32 MB of a record are held, twice while they are joined; the rest is the buffers of a 100 MB stream.
    assert.ok(grownMb < 250, `${grownMb} MB`);
    assert.ok(gapMost < 1000, `the main thread was away for ${gapMost} ms`);
  });
});
