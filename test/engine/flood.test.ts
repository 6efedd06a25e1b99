import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { atLeast } from '../../src/bpftrace/version.js';
import { createEngine } from '../../src/engine/index.js';
import { executable } from '../support/fake-bpftrace.js';
import { installedVersion } from '../support/installed.js';
import { BPFTRACE } from '../support/server.js';
import { startWriter } from '../support/writer.js';

const LINES = 2_000_000;
const KEPT = 10_000;
const BOUND = { boundMs: 120_000 };

describe('floods', () => {
  test('2,000,000 lines: the newest 10,000 are there in order, and the dropped ones are counted exactly', async () => {
    const printer = executable(`#!${process.execPath}
      process.stdin.resume();
      const record = n => '{"type": "printf", "data": "line ' + n + '\\\\n"}\\n';
      const write = n => {
        while (n < ${LINES}) {
          let chunk = '';
          for (const end = Math.min(n + 2000, ${LINES}); n < end; n++) chunk += record(n);
          if (!process.stdout.write(chunk)) { process.stdout.once('drain', () => write(n)); return; }
        }
      };
      console.log('{"type": "attached_probes", "data": {"probes": 1}}');
      write(0);
      process.once('beforeExit', () => console.log('{"type": "map", "data": {"@n": ${LINES}}}'));
    `);
    const engine = createEngine({ bpftrace: printer, defaultTimeoutS: 60 });
    const me = engine.as('me');
    const id = me.submit({ program: 'BEGIN { printf("the fake does not read this\\n"); }' });
    await me.untilEnded(id, BOUND);
    const { status, lines_total, lines_dropped, maps } = me.result(id);
    assert.deepEqual(
      { status, lines_total, lines_dropped },
      { status: 'completed', lines_total: LINES, lines_dropped: LINES - KEPT },
    );
    assert.deepEqual(
      maps,
      [{ name: '@n', kind: 'scalar', value: LINES }],
      'a flood of lines does not push a map out',
    );
    const lines: string[] = [];
    for (let offset = LINES - KEPT; offset < LINES; ) {
      const page = me.result(id, { offset, limit: 1000 });
      assert.equal(page.offset, offset);
      assert.equal(page.has_more, page.next_offset < LINES);
      lines.push(...page.output);
      offset = page.next_offset;
    }
    assert.deepEqual(
      lines,
      Array.from({ length: KEPT }, (_, i) => `line ${LINES - KEPT + i}`),
    );
    await engine.close();
  });

  test('real bpftrace printing as fast as it can: in order, whole, every loss accounted for, read meanwhile', async t => {
    const engine = createEngine({ bpftrace: BPFTRACE });
    const me = engine.as('me');
    // One process, so that one probe at a time counts.
    const busy = startWriter(0);
    const id = me.submit({
      program: `tracepoint:syscalls:sys_enter_write /pid == ${busy.pid}/ { @n++; printf("line %d\\n", @n); }`,
      deadlineMs: 6000,
    });
    const looks: number[] = [];
    try {
      await me.untilSettled(id, BOUND);
      while (me.result(id, { limit: 0 }).status === 'running') {
        const begun = performance.now();
        const { output } = me.result(id, { limit: 1000 });
        looks.push(performance.now() - begun);
        assertRising(output);
        await sleep(10);
      }
    } finally {
      busy.kill('SIGKILL');
    }
    const { offset, lines_total, lines_dropped, lost_events } = me.result(id);
    assert.ok(lines_total > 10 * KEPT, `${lines_total} lines is no flood`);
    assert.equal(lines_dropped, lines_total - KEPT);
    assert.equal(offset, lines_dropped);
    const kept: string[] = [];
    for (let at = offset; at < lines_total; at += 1000)
      kept.push(...me.result(id, { offset: at, limit: 1000 }).output);
    assert.equal(kept.length, KEPT);
    assertRising(kept);
    const lastNumber = numberOf(kept.at(-1) ?? '');
    // 0.27.1 ends such a flood at times without its last lost_events record (and without its maps), also when it
    // runs alone: there a gap may be unaccounted for.
    if (!atLeast(installedVersion(), '0.27')) {
      assert.ok(
        lines_total + lost_events >= lastNumber,
        `${lastNumber} printed, ${lines_total} came, ${lost_events} lost`,
      );
    }
    looks.sort((a, b) => a - b);
    t.diagnostic(
      `${lines_total} lines, ${lost_events} lost by the kernel, last number ${lastNumber}; ${looks.length} looks of 1,000 lines, median ${looks[looks.length >> 1]?.toFixed(1)} ms, worst ${looks.at(-1)?.toFixed(1)} ms`,
    );
    await engine.close();
  });
});

function numberOf(line: string): number {
  const digits = /^line (\d+)$/.exec(line)?.[1];
  assert.ok(digits, `a torn line: ${line}`);
  return Number(digits);
}

function assertRising(lines: readonly string[]): void {
  let last = 0;
  for (const line of lines) {
    const number = numberOf(line);
    assert.ok(number > last, `${number} after ${last}`);
    last = number;
  }
}
