import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BPFTRACE, MAIN } from '../support/server.js';
import { until } from '../support/until.js';

const ENV = { ...process.env, BPFTRACE_MCP_BPFTRACE: BPFTRACE };
const TICKS = 'interval:ms:20 { @ticks = count(); printf("tick\\n"); }';

const EXITS = 'BEGIN { exit(); }';

interface Line {
  type: string;
  id: string | number;
  line: number;
  status: string;
  ended_by?: string;
  output?: string[];
  maps?: { name: string; value?: unknown }[];
  lines_total?: number;
  reason?: string;
  error?: { code: string; message: string; next: string };
}

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line);
}

describe('batch', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'batch-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function inputOf(name: string, items: readonly (object | string)[]): string {
    const file = join(folder, name);
    writeFileSync(
      file,
      items.map(item => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`).join(''),
    );
    return file;
  }

  function batch(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'batch', ...args], {
      encoding: 'utf8',
      timeout: 120_000,
      input: options.input ?? '',
      env: { ...ENV, ...options.env },
    });
    return { status, stdout, stderr };
  }

  test('one result a line: good ones, failed ones, and lines that are no programs', () => {
    const file = inputOf('mixed.jsonl', [
      { id: 'said', program: 'BEGIN { printf("first\\nsecond\\n"); exit(); }' },
      { id: 'ticks', program: TICKS, timeout: 0.5, max_lines: 2 },
      '',
      { program: 'BEGIN { nosuch(); }' },
      'not json',
      { id: 'wrong', program: TICKS, nosuch: 1 },
      { id: 'long', program: TICKS, timeout: 3600 },
      { id: 'large', program: ' '.repeat(500_000) },
    ]);
    const { status, stdout, stderr } = batch([file, '--concurrency', '2']);
    assert.equal(status, 1, stderr);
    const results = linesOf(stdout).sort((one, other) => one.line - other.line);
    assert.deepEqual(
      results.map(({ type, id, line, status }) => [type, id, line, status]),
      [
        ['result', 'said', 1, 'completed'],
        ['result', 'ticks', 2, 'completed'],
        ['result', 4, 4, 'failed'],
        ['result', 5, 5, 'refused'],
        ['result', 'wrong', 6, 'refused'],
        ['result', 'long', 7, 'refused'],
        ['result', 8, 8, 'refused'],
      ],
    );
    const [said, ticks, failed, notJson, wrong, long, large] = results;
    assert.deepEqual(said?.output, ['first', 'second']);
    assert.equal(ticks?.ended_by, 'deadline');
    assert.equal(ticks.output?.length, Math.min(2, ticks.lines_total ?? 0));
    assert.equal(ticks.maps?.[0]?.name, '@ticks');
    assert.equal(failed?.reason, 'compile_failed');
    assert.match(notJson?.error?.message ?? '', /^not a JSON object/);
    assert.match(wrong?.error?.message ?? '', /unknown argument "nosuch"/);
    assert.match(long?.error?.message ?? '', /timeout/);
    assert.match(large?.error?.message ?? '', /longer than \d+ bytes/);
    // Not on a terminal: a line for each, and the sum.
    assert.match(stderr, /^\d\/7 said: completed by exit, /m);
    assert.match(stderr, /^2 completed, 1 failed, 4 refused\n$/m);
  });

  test('--resume runs what has no result yet, a torn one again, and a changed line as another', () => {
    const program = (word: string) => `BEGIN { printf("${word}\\n"); exit(); }`;
    const items = ['a', 'b', 'c'].map(id => ({ id, program: program(id) }));
    const out = join(folder, 'out.jsonl');
    const first = batch([inputOf('first.jsonl', items), '--out', out]);
    assert.equal(first.status, 0, first.stderr);
    assert.equal(first.stdout, '');
    assert.equal(statSync(out).mode & 0o777, 0o600);

    const again = batch([inputOf('first.jsonl', items), '--out', out]);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /there already: --resume/);

    const kept = readFileSync(out, 'utf8').split('\n').slice(0, 2).join('\n');
    writeFileSync(out, `${kept}\n`);
    appendFileSync(out, '{"type":"result","id":"torn');
    const changed = [...items, { id: 'a', program: program('other') }];
    const resumed = batch([inputOf('more.jsonl', changed), '--out', out, '--resume']);
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.match(resumed.stderr, /is torn: it is cut away and done again/);
    assert.match(resumed.stderr, /^2 completed; 2 were there already$/m);
    const said = linesOf(readFileSync(out, 'utf8')).flatMap(({ output = [] }) => output);
    assert.deepEqual(said.sort(), ['a', 'b', 'c', 'other']);
  });

  test('Ctrl-C stops the programs, keeps what is done, exit code 130', async () => {
    const out = join(folder, 'interrupted.jsonl');
    const file = inputOf('interrupted-in.jsonl', [
      { id: 'short', program: 'BEGIN { exit(); }' },
      ...[1, 2, 3].map(id => ({ id, program: TICKS, timeout: 50 })),
    ]);
    const child = spawn(process.execPath, [MAIN, 'batch', file, '-o', out, '--concurrency', '2'], {
      env: ENV,
    });
    const ended = new Promise(resolve => child.once('exit', resolve));
    const hasResult = (): boolean => existsSync(out) && readFileSync(out, 'utf8').includes('short');
    await until('the short one', 30_000, hasResult);
    child.kill('SIGINT');
    assert.equal(await ended, 130);
    assert.deepEqual(
      linesOf(readFileSync(out, 'utf8')).map(({ id }) => id),
      ['short'],
    );
  });

  test('a reader that has seen enough (| head) ends it; programs come from standard input', async () => {
    const items = [1, 2, 3, 4, 5, 6].map(id => ({ id, program: 'BEGIN { exit(); }' }));
    const endless = { id: 'endless', program: TICKS, timeout: 50 };
    const command = `"$0" "$1" batch - --concurrency 2 2>/dev/null | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const child = spawn('bash', ['-c', command, process.execPath, MAIN], { env: ENV });
    let stdout = '';
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    // Standard input stays open: that is no reason to stay.
    for (const item of [...items, endless]) child.stdin.write(`${JSON.stringify(item)}\n`);
    child.stdin.on('error', () => {});
    await until('its end', 40_000, () => /^\d+$/m.test(stdout));
    child.stdin.end();
    const [line, status] = stdout.trim().split('\n');
    assert.equal((JSON.parse(line ?? '') as Line).status, 'completed');
    assert.equal(status, '130');
  });

  test('on a terminal a bar lives while it runs, and is gone at the end', () => {
    const file = inputOf('bar.jsonl', [{ program: TICKS, timeout: 0.7 }]);
    const log = join(folder, 'terminal');
    const command = `${process.execPath} ${MAIN} batch ${file} -o ${join(folder, 'bar-out.jsonl')}`;
    const { status } = spawnSync('script', ['-qefc', command, log], { timeout: 60_000, input: '', env: ENV });
    assert.equal(status, 0);
    const shown = readFileSync(log, 'utf8').replaceAll('\r\x1b[2K', '<clear>');
    assert.match(shown, /<clear>\[\.{24}\] 0\/1, 1 running; Ctrl-C stops/);
    assert.match(shown, /<clear>1 completed/);
  });

  test('on a terminal too, what is wrong from the start ends it', () => {
    const file = inputOf('usage.jsonl', [{ program: TICKS }]);
    const log = join(folder, 'usage-terminal');
    const command = `${process.execPath} ${MAIN} batch ${file} -o ${file}`;
    const { status } = spawnSync('script', ['-qefc', command, log], { timeout: 20_000, input: '', env: ENV });
    assert.equal(status, 2);
    assert.match(readFileSync(log, 'utf8'), /is there already/);
  });

  test('the file with the programs is never written to, nor is a file that holds something else cut', () => {
    // No newline at its end: a result that was torn would look so.
    const text = `${JSON.stringify({ program: EXITS })}\n${JSON.stringify({ program: TICKS })}`;
    const file = join(folder, 'both.jsonl');
    writeFileSync(file, text);
    const same = batch([file, '--out', file, '--resume']);
    assert.equal(same.status, 2, same.stderr);
    assert.match(same.stderr, /is the file with the programs: name another one/);
    const appended = spawnSync('bash', ['-c', '"$0" "$1" batch "$2" >> "$2"', process.execPath, MAIN, file], {
      encoding: 'utf8',
      timeout: 20_000,
      env: ENV,
    });
    assert.equal(appended.status, 2, appended.stderr);
    assert.equal(readFileSync(file, 'utf8'), text);

    const notes = join(folder, 'notes');
    writeFileSync(notes, 'buy milk\ncall mum');
    const other = batch([file, '--out', notes, '--resume']);
    assert.equal(other.status, 2, other.stderr);
    assert.match(other.stderr, /no result of a batch: name another file/);
    assert.equal(readFileSync(notes, 'utf8'), 'buy milk\ncall mum');
  });

  test('programs from a pipe that has a name, as an editor on Windows saves them; `-` is standard output', () => {
    const input = `\uFEFF${JSON.stringify({ program: EXITS })}\r\n\r\n`;
    const command = '"$0" "$1" batch <(printf %s "$2") --out -';
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, MAIN, input], {
      encoding: 'utf8',
      timeout: 40_000,
      cwd: folder,
      env: ENV,
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      linesOf(stdout).map(({ id, status }) => [id, status]),
      [[1, 'completed']],
    );
  });

  test('an item that stands there twice has two results, resumed too', () => {
    const item = JSON.stringify({ id: 'twice', program: EXITS });
    const out = join(folder, 'twice-out.jsonl');
    batch([inputOf('once.jsonl', [item]), '--out', out]);
    const { status, stderr } = batch([inputOf('twice.jsonl', [item, item]), '--out', out, '--resume']);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^1 completed; 1 were there already$/m);
    assert.equal(linesOf(readFileSync(out, 'utf8')).length, 2);
  });

  for (const [name, args, shell] of [
    ['a file', ['--out', '/dev/full'], ''],
    ['standard output', [], '>/dev/full'],
  ] as const) {
    test(`a full disk ends it and is told: ${name}`, () => {
      const file = inputOf('full.jsonl', [{ program: EXITS }, { program: TICKS, timeout: 50 }]);
      const command = `"$0" "$1" batch ${[file, ...args, shell].join(' ')}`;
      const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, MAIN], {
        encoding: 'utf8',
        timeout: 40_000,
        env: ENV,
      });
      assert.equal(status, 1, stderr);
      assert.match(stderr, /^bpftrace-mcp batch: the results can't be written: .*ENOSPC.*\n$/m);
    });
  }

  test('who has read enough of its progress does not end it', () => {
    const file = inputOf('unread.jsonl', Array(6).fill({ program: EXITS }));
    const out = join(folder, 'unread-out.jsonl');
    const command = '"$0" "$1" batch "$2" --out "$3" --concurrency 1 2> >(head -n 1 >/dev/null)';
    const { status } = spawnSync('bash', ['-c', command, process.execPath, MAIN, file, out], {
      timeout: 60_000,
      env: ENV,
    });
    assert.equal(status, 0);
    assert.equal(linesOf(readFileSync(out, 'utf8')).length, 6);
  });

  test('no bpftrace: exit code 3, no results', () => {
    const file = inputOf('none.jsonl', [{ program: TICKS }, { program: TICKS }]);
    const { status, stdout, stderr } = batch([file, '--bpftrace', '/nowhere/bpftrace']);
    assert.equal(status, 3);
    assert.equal(stdout, '');
    assert.match(stderr, /not found[\s\S]*doctor --fix/);
  });

  for (const [args, message] of [
    [[], /missing required argument/],
    [['/nowhere.jsonl'], /can't be read: ENOENT/],
    [['/dev/null', '--resume'], /--resume: pass --out/],
    [['/dev/null', '--out', '/nowhere/out'], /batch: \/nowhere\/out can't be written: ENOENT/],
    [['/dev/null', '--out', '/'], /batch: \/ can't be written: EISDIR/],
  ] as const) {
    test(`refused: batch ${args.join(' ')}`, () => {
      const { status, stderr } = batch(args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });
  }
});
