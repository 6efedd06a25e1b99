import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Result } from '../../src/engine/index.js';
import { resultText } from '../../src/mcp/result-text.js';
import { folder, runFake, shell } from '../support/fake-bpftrace.js';

/** What is missing for good: numbers in `losses`, and in the first line of the text with what to do about it. */
async function printing(name: string, records: unknown[]): Promise<Result> {
  const file = join(folder, name);
  writeFileSync(file, records.map(record => `${JSON.stringify(record).replace(/":/g, '": ')}\n`).join(''));
  const { result } = await runFake(shell(`cat '${file}'`), { maxLines: 50, maxMapBytes: 65_536 });
  return result;
}
const line = (text: string) => ({ type: 'printf', data: `${text}\n` });
const map = (data: Record<string, unknown>) => ({ type: 'map', data });
const firstLine = (result: Result): string => resultText(result).split('\n', 1)[0] ?? '';

describe('losses', () => {
  test('where nothing is missing, nothing is said of it', async () => {
    const result = await printing('whole', [line('a'), map({ '@': 1 })]);
    assert.equal(result.losses, undefined);
    assert.doesNotMatch(resultText(result), /LOST/);
  });

  test('events that the kernel dropped, lines that were overwritten, a line that was cut', async () => {
    const result = await printing('lines', [
      { type: 'lost_events', data: { events: 7 } },
      ...Array.from({ length: 60 }, (_, i) => line(`line ${i}`)),
      { type: 'lost_events', data: { events: 5 } },
      line('x'.repeat(70_000)),
    ]);
    assert.deepEqual(result.losses, {
      lost_events: 12,
      lines_dropped: 11,
      lines_truncated: 1,
      bytes_dropped: 70_000 - 65_536,
    });
    assert.deepEqual([result.lost_events, result.lines_dropped], [12, 11]);
    assert.match(
      firstLine(result),
      /^completed by exit\(\).*; LOST 12 events \(.*aggregate.*\), 11 oldest lines \(.*\), 1 of these lines in part \(too long\), 4464 bytes/,
    );
  });

  test('entries of a map that was too large to keep', async () => {
    const entries = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [`key ${'k'.repeat(20)} ${i}`, i]),
    );
    const result = await printing('map', [map({ '@': entries })]);
    const [shown] = result.maps;
    const dropped = 3000 - (shown?.entries?.length ?? 0);
    assert.ok(dropped > 0 && dropped < 3000, `${dropped} of 3000`);
    assert.deepEqual(result.losses, { map_entries_dropped: dropped });
    assert.equal(shown?.omitted?.entries, dropped);
    assert.match(firstLine(result), new RegExp(`LOST ${dropped} smallest map entries \\(`));
  });

  test('equal lines in a row are folded in the text, and only there', async () => {
    const lines = ['a', 'a', 'a', 'b', 'c', 'c', 'c', 'c', 'c', 'a'];
    const result = await printing('folded', lines.map(line));
    assert.deepEqual(result.output, lines);
    assert.deepEqual(resultText(result).split('\n').slice(2), [
      ...['a', 'a', 'a', 'b', 'c', '[the same 4 times more]', 'a'],
    ]);
  });

  test('who reads on at the end is told that no more come', async () => {
    const result = await printing('end', ['a', 'b', 'c'].map(line));
    const at = (offset: number, rest: Partial<Result>): string =>
      resultText({ ...result, output: [], lines_returned: 0, offset, next_offset: offset, ...rest })
        .split('\n')
        .at(-1) ?? '';
    assert.equal(at(0, { has_more: true }), '3 lines printed, none given; offset 0 reads on');
    assert.equal(
      at(3, { has_more: false }),
      '3 lines printed, none given: there are none from offset 3 on, and no more come',
    );
    assert.equal(
      at(3, { has_more: false, status: 'running' }),
      '3 lines printed, none given: none from offset 3 on yet; wait waits for one',
    );
  });

  test('who has asked for a snapshot in vain is not sent to ask for one', async () => {
    const ended = await printing('none', []);
    const running = { ...ended, status: 'running' } as const;
    assert.match(resultText(running), /nothing printed yet; .*snapshot/);
    for (const asked of [{ no_snapshot: 'the program has no maps' }, { snapshot_at: 0.3 }])
      assert.doesNotMatch(resultText({ ...running, ...asked }), /nothing printed yet/);
  });
});
