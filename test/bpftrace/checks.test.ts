import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Check, type Inspection, inspectHost } from '../../src/bpftrace/checks.js';
import { findExecutable } from '../../src/privilege/executable.js';

const bpftrace = findExecutable('bpftrace', process.env);
const isRoot = process.geteuid?.() === 0;
const tracesHere = bpftrace !== undefined && isRoot;
const whyNot = tracesHere ? false : 'needs root and bpftrace';

function named(checks: readonly Check[], name: string): Check {
  const found = checks.find(check => check.name === name);
  assert.ok(found, `no check ${name}`);
  return found;
}

const REQUIRED = ['bpftrace', 'privileges', 'tracefs', 'traces', 'node'];
const OPTIONAL = [
  ...['tracepoints', 'kprobes', 'uprobes', 'fentry', 'btf', 'debugfs', 'lockdown', 'memlock', 'bpf_jit'],
  ...['llvm', 'parent_death_signal', 'output_pipe'],
];

function assertWellFormed(checks: readonly Check[]): void {
  const names = (required: boolean) => checks.filter(check => check.required === required).map(c => c.name);
  assert.deepEqual(names(true), REQUIRED);
  assert.deepEqual(names(false), OPTIONAL);
  for (const check of checks) {
    assert.ok(check.detail.length > 0, check.name);
    assert.ok(!check.detail.includes('\n'), check.name);
    assert.equal(check.action !== undefined, check.answer !== 'yes', `${check.name}: an action, unless yes`);
  }
}

describe('the checks on this host', { skip: whyNot }, () => {
  let inspection: Inspection;
  before(async () => {
    inspection = await inspectHost({ bpftracePath: 'bpftrace' });
  });
  const answer = (name: string) => named(inspection.checks, name).answer;

  /** The kernel's own answer: exit status 0 when the program attached. It ends by itself, fired or not. */
  function attaches(probe: string): boolean {
    const program = `${probe} { exit(); } interval:s:1 { exit(); }`;
    const run = spawnSync(bpftrace ?? '', ['-e', program], { timeout: 20_000 });
    return run.status === 0;
  }

  test('every check has its place, a detail, and an action unless it is yes', () => {
    assertWellFormed(inspection.checks);
  });

  test('traces: as bpftrace run by hand', () => {
    const run = spawnSync(bpftrace ?? '', ['-e', 'BEGIN { printf("ok\\n"); exit(); }'], { encoding: 'utf8' });
    assert.equal(answer('traces'), run.stdout.includes('ok') ? 'yes' : 'no');
    assert.equal(answer('privileges'), 'yes');
  });

  test('bpftrace: the version it prints', () => {
    const printed = spawnSync(bpftrace ?? '', ['--version'], { encoding: 'utf8' }).stdout;
    const { text } = inspection.host.bpftraceVersion ?? {};
    assert.ok(text && printed.includes(text), printed);
    assert.match(named(inspection.checks, 'bpftrace').detail, new RegExp(`${text}.* at ${bpftrace}`));
  });

  test('kprobes, uprobes, tracepoints: as attaching one tells', () => {
    assert.equal(answer('kprobes'), attaches('kprobe:vfs_read') ? 'yes' : 'no');
    assert.equal(answer('uprobes'), attaches(`uprobe:${process.execPath}:main`) ? 'yes' : 'no');
    assert.equal(answer('tracepoints'), attaches('tracepoint:sched:sched_switch') ? 'yes' : 'no');
  });

  test('fentry: as attaching one tells', () => {
    // The name every version knows; 0.17 aborts on the new one.
    assert.equal(answer('fentry'), attaches('kfunc:vfs_read') ? 'yes' : 'no');
  });

  test('tracefs, debugfs, btf: as the mount table and the files tell', () => {
    const mounts = readFileSync('/proc/mounts', 'utf8');
    assert.equal(answer('tracefs'), / \/sys\/kernel\/(debug\/)?tracing tracefs /.test(mounts) ? 'yes' : 'no');
    assert.equal(answer('debugfs'), mounts.includes(' /sys/kernel/debug debugfs ') ? 'yes' : 'no');
    assert.equal(answer('btf'), existsSync('/sys/kernel/btf/vmlinux') ? 'yes' : 'no');
  });

  test('parent_death_signal: as setpriv tells', () => {
    const run = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']);
    assert.equal(answer('parent_death_signal'), run.status === 0 ? 'yes' : 'no');
  });

  test('output_pipe: as perl can make one', () => {
    const run = spawnSync('perl', ['-e', 'pipe(my $out, my $in); print fcntl $in, 1031, 1_048_576']);
    assert.equal(answer('output_pipe'), Number(run.stdout) >= 262_144 ? 'yes' : 'no');
  });

  test('host facts: kernel, LLVM and features', () => {
    const { host } = inspection;
    assert.equal(host.kernel, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    assert.equal(host.bpftracePath, bpftrace);
    assert.equal(host.privilegeMode, 'root');
    assert.match(host.llvm ?? '', /^\d+\./);
    assert.ok(Object.keys(host.features).length > 10);
  });
});

describe('a bpftrace that does not work', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-checks-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  function script(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  test('a path that leads nowhere', async () => {
    const checks = (await inspectHost({ bpftracePath: join(folder, 'nowhere') })).checks;
    assertWellFormed(checks);
    assert.equal(named(checks, 'bpftrace').answer, 'no');
    assert.match(named(checks, 'bpftrace').detail, /no executable at .*nowhere/);
    assert.equal(named(checks, 'traces').answer, 'no');
    assert.equal(named(checks, 'llvm').answer, 'unknown');
  });

  test('a name that is nowhere on PATH: install it', async () => {
    const check = named((await inspectHost({ bpftracePath: 'bpftrace-nowhere' })).checks, 'bpftrace');
    assert.equal(check.answer, 'no');
    assert.match(check.action ?? '', /install .*doctor --fix/);
  });

  test('one that fails at once', async () => {
    const path = script('fails', 'echo "cannot load libLLVM" >&2; exit 1');
    const checks = (await inspectHost({ bpftracePath: path })).checks;
    assertWellFormed(checks);
    const check = named(checks, 'bpftrace');
    assert.equal(check.answer, 'no');
    assert.match(check.detail, /ended with status 1: cannot load libLLVM/);
    assert.match(check.action ?? '', /by hand/);
    assert.equal(named(checks, 'traces').answer, 'no');
  });

  test('one that prints no version: unknown, and the rest is tried all the same', async () => {
    const checks = (await inspectHost({ bpftracePath: script('strange', 'echo hello') })).checks;
    assert.equal(named(checks, 'bpftrace').answer, 'unknown');
    assert.match(named(checks, 'traces').detail, /a trivial program ended with status 0/);
  });

  test('one that works for --version only: its last word is passed on, not the noise', async () => {
    const path = script(
      'no-trace',
      `[ "$1" = --version ] && echo "bpftrace v0.17.0" && exit
echo "stdin:1:1-6: ERROR: no such thing" >&2
echo "ERROR: couldn't set RLIMIT_MEMLOCK for bpftrace" >&2
exit 255`,
    );
    const checks = (await inspectHost({ bpftracePath: path })).checks;
    assert.equal(named(checks, 'bpftrace').answer, 'yes');
    assert.match(named(checks, 'traces').detail, /status 255: stdin:1:1-6: ERROR: no such thing/);
  });

  test('one that hangs, deaf to SIGTERM, with a child: killed within bounds, both', async () => {
    const pids = join(folder, 'pids');
    const path = script('hangs', `trap '' TERM\nsleep 600 &\necho $$ $! > ${pids}\nwait`);
    const startMs = performance.now();
    const check = named((await inspectHost({ bpftracePath: path })).checks, 'bpftrace');
    assert.ok(performance.now() - startMs < 40_000);
    assert.equal(check.answer, 'no');
    assert.match(check.detail, /did not end within \d+ ms and was killed/);
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ')) {
      assert.ok(!isRunning(Number(pid)), `${pid} is still there`);
    }
  });

  test('one that holds its output open after its end', async () => {
    const path = script('lingers', 'echo "bpftrace v0.17.0"; sleep 600 & exit 0');
    const startMs = performance.now();
    assert.equal(named((await inspectHost({ bpftracePath: path })).checks, 'bpftrace').answer, 'yes');
    assert.ok(performance.now() - startMs < 15_000);
  });
});

/** A zombie has ended; only its parent, here init, has not looked yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
