import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BPFTRACE, MAIN } from '../support/server.js';
import { until } from '../support/until.js';

const TICKS = 'interval:ms:50 { @ticks = count(); @h = hist(nsecs % 100); printf("tick %d\\n", elapsed); }';

function cli(args: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    input: options.input ?? '',
    env: { ...process.env, BPFTRACE_MCP_BPFTRACE: BPFTRACE, ...options.env },
  });
  return { status, stdout, stderr };
}

describe('run', () => {
  test('piped: nothing but results; lines, then maps and histograms', () => {
    const { status, stdout, stderr } = cli(['run', '-e', TICKS, '--timeout', '0.5']);
    assert.equal(status, 0);
    assert.equal(stderr, '');
    const lines = stdout.split('\n');
    assert.match(lines[0] ?? '', /^tick \d+$/);
    assert.ok(
      lines.some(line => /^@ticks: \d+$/.test(line)),
      stdout,
    );
    assert.ok(
      lines.some(line => /^\[\d+, \d+\) +\d+ \|@+ *\|$/.test(line)),
      stdout,
    );
  });

  test('--json: one object a line, the result last', () => {
    const { status, stdout } = cli(['run', '-e', TICKS, '--timeout', '0.5', '--json']);
    assert.equal(status, 0);
    const objects = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
    const result = objects.pop();
    assert.ok(objects.length > 0);
    for (const [seq, object] of objects.entries()) {
      assert.deepEqual({ ...object, text: '' }, { type: 'line', seq, text: '' });
    }
    assert.equal(result?.type, 'result');
    assert.equal(result?.status, 'completed');
    assert.equal(result?.ended_by, 'deadline');
    assert.equal(result?.lines_total, objects.length);
  });

  test('the program from a file and from standard input', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'run-')), 'program.bt');
    writeFileSync(file, 'BEGIN { printf("from a file\\n"); exit(); }');
    assert.equal(cli(['run', file]).stdout, 'from a file\n');
    assert.equal(
      cli(['run', '-'], { input: 'BEGIN { printf("from stdin\\n"); exit(); }' }).stdout,
      'from stdin\n',
    );
  });

  test('a program that does not compile: its place on standard error, exit code 1', () => {
    const { status, stdout, stderr } = cli(['run', '-e', 'BEGIN { printf("x" }']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^error syntax at 1:20: syntax.*\n {2}BEGIN \{ printf\("x" \}\n {21}~\n/);
    assert.match(stderr, /failed \(compile_failed\)/);
  });

  for (const [args, message] of [
    [['run'], /pass a program/],
    [['run', 'a.bt', '-e', 'BEGIN {}'], /pass a program/],
    [['run', '-e', 'BEGIN {}', '--timeout', '3600'], /--timeout 3600: must be a number from 0\.1 to 60/],
    [['run', '-e', 'BEGIN {}', '--timeout', 'soon'], /--timeout soon: must be a number/],
    [['run', '/no/such/file.bt'], /the program can't be read: ENOENT/],
    [['run', '-e', ''], /the program is empty/],
    [['run', '--no-such-flag'], /unknown option/],
    [['--concurrency', '0'], /--concurrency 0: must be auto or a whole number from 1 to 256/],
    [['no-such-command'], /there is no command "no-such-command"; there are serve, run/],
  ] as const) {
    test(`wrong usage is told, exit code 2: ${args.join(' ')}`, () => {
      const { status, stdout, stderr } = cli(args);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    });
  }

  test('no bpftrace: exit code 3 and what to do', () => {
    const { status, stderr } = cli(['run', '-e', 'BEGIN { exit(); }', '--bpftrace', '/nowhere/bpftrace']);
    assert.equal(status, 3);
    assert.match(stderr, /not found[\s\S]*doctor --fix/);
  });

  test('Ctrl-C stops it and still prints the maps, exit code 130', async () => {
    const child = spawn(process.execPath, [MAIN, 'run', '-e', TICKS, '-t', '30', '--bpftrace', BPFTRACE]);
    let stdout = '';
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    await until('a tick', 20_000, () => stdout.includes('tick'));
    const ended = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGINT');
    assert.equal(await ended, 130);
    assert.match(stdout, /^@ticks: \d+$/m);
  });

  test('a reader that has seen enough (| head) ends it', async () => {
    const child = spawn('sh', [
      '-c',
      `"$0" "$1" run -e "$2" -t 30 --bpftrace "$3" | head -n 3`,
      process.execPath,
      MAIN,
      TICKS,
      BPFTRACE,
    ]);
    const begun = performance.now();
    await new Promise(resolve => child.once('exit', resolve));
    assert.ok(performance.now() - begun < 20_000);
  });

  test('on a terminal a status line lives while it runs, and is gone at the end', () => {
    const log = join(mkdtempSync(join(tmpdir(), 'run-')), 'terminal');
    const command = `${process.execPath} ${MAIN} run -e 'interval:ms:50 { @ticks = count(); }' -t 1 --bpftrace ${BPFTRACE}`;
    const { status } = spawnSync('script', ['-qefc', command, log], { timeout: 60_000, input: '' });
    assert.equal(status, 0);
    const shown = readFileSync(log, 'utf8').replaceAll('\r\x1b[2K', '<clear>');
    assert.match(shown, /<clear>running 0\.\d s of 1 s, 1 probe, 0 lines; Ctrl-C stops/);
    assert.match(shown, /<clear>@ticks: \d+/);
  });
});

describe('help', () => {
  test('--help and --version', () => {
    const help = cli(['--help']);
    assert.equal(help.status, 0);
    for (const command of ['serve', 'run', 'doctor', 'demo'])
      assert.match(help.stdout, new RegExp(`^ +${command}`, 'm'));
    const serve = cli(['serve', '--help']).stdout;
    assert.match(serve, /--max-lines <number>[\s\S]*BPFTRACE_MCP_MAX_LINES/);
    assert.match(cli(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test('demo: everything goes as it tells, the mistake that it shows included', () => {
    const { status, stdout, stderr } = cli(['demo']);
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(
      stdout,
      /completed by its deadline[\s\S]*error unknown_field[\s\S]*did you mean next_comm\?[\s\S]*Done\.\n$/,
    );
  });
});
