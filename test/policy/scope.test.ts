import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { childEnvironment } from '../../src/bpftrace/spawn-plan.js';
import { loadConfig } from '../../src/config.js';
import { Policy } from '../../src/policy/policy.js';
import { isInFirstPidNamespace } from '../../src/policy/scope/processes.js';
import { ControlGroup, groupRoot, newGroup, removeGroups } from '../support/control-group.js';
import { type Crowd, startCulprits } from '../support/culprits.js';
import { BPFTRACE, ServerUnderTest } from '../support/server.js';
import { INSIDE, OUTSIDE, UNCLEAR } from './attacks/scope.js';

/** Every so many-th attempt is made with bpftrace itself, and this share of them shows a process outside. */
const TRIED_EVERY = 4;
const SHOWN_MIN = 1 / 2;
const AT_ONCE = 4;
const RUN_MS = 1000;
const RUN_BOUND_MS = 20_000;

describe('a scope', () => {
  let crowd: Crowd;
  let group: string | undefined;
  let inside = 0;
  before(() => {
    crowd = startCulprits(['seeker', 'sipper', 'dozer', 'burner']);
    inside = crowd.pid('seeker');
    if (groupRoot() === undefined) return;
    group = newGroup().path;
    // In a group below the one that the operator names.
    new ControlGroup(join(group, 'below')).add(crowd.pid('dozer'));
  });
  after(async () => {
    await crowd.stop();
    await removeGroups();
  });

  const filled = (program: string): string =>
    program
      .replaceAll('$P', String(inside))
      .replaceAll('$G', group ?? '/sys/fs/cgroup/none')
      .replaceAll('$I', group ? String(statSync(group).ino) : '$I');
  const scoped = (): Policy =>
    new Policy('observe', { scopePids: String(inside), scopeCgroups: group ?? '' });

  test(`none of ${OUTSIDE.length + UNCLEAR.length} programs gets out of it`, () => {
    const policy = scoped();
    for (const program of [...OUTSIDE, ...UNCLEAR].map(filled)) {
      const [first] = policy.judge(program);
      assert.ok(first, `passes: ${program}`);
      assert.ok(first.allowed.length > 0 && first.start <= program.length, program);
    }
    const byScope = OUTSIDE.filter(program =>
      policy.judge(filled(program)).some(({ rule }) => rule === 'scope'),
    );
    assert.ok(byScope.length >= 40, `${byScope.length} are caught by the scope`);
  });

  test(`none of ${INSIDE.length} programs that keep to it is refused`, t => {
    if (!group) return t.skip('no control groups of version 2 can be made here');
    const policy = scoped();
    for (const program of INSIDE.map(filled)) assert.deepEqual(policy.judge(program), [], program);
  });

  test('what is deeply nested or long is judged at once', () => {
    const long = ['(', '!', 'pid == 1 || ', 'pid == 1 && ', '(1) && '].map(
      many => `profile:hz:9 /${many.repeat(20_000 / many.length)}1/ { }`,
    );
    const timed = (policy: Policy): number => {
      const begun = performance.now();
      for (const program of long) policy.judge(program);
      return performance.now() - begun;
    };
    for (const program of long) assert.ok(scoped().judge(program).length > 0, program.slice(0, 40));
    // Reading them takes most of it; time by the square of their length would be several times that.
    assert.ok(timed(scoped()) < 5 * timed(new Policy('observe')) + 1000);
  });

  test('the attempts are real: without it bpftrace shows a process that is outside', async t => {
    if (process.geteuid?.() !== 0) return t.skip('needs root');
    const left = OUTSIDE.filter((_, at) => at % TRIED_EVERY === 0).map(filled);
    const total = left.length;
    let shown = 0;
    const worker = async (): Promise<void> => {
      for (let program = left.shift(); program; program = left.shift()) {
        const said = await plainBpftrace(program);
        if (/sipper|burner|bpftrace/.test(said)) shown++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    t.diagnostic(`${shown} of ${total} programs show another process here`);
    assert.ok(shown >= total * SHOWN_MIN, `only ${shown} of ${total} do`);
  });

  test('through the server: the refusal has the predicate to write, and then only the scope is seen', async t => {
    if (!isInFirstPidNamespace()) return t.skip('not in the first pid namespace, where pids are not offered');
    const server = await ServerUnderTest.start(['--log-level', 'silent', '--scope-pids', String(inside)]);
    const open = 'tracepoint:raw_syscalls:sys_enter { @[comm, pid] = count(); }';
    const refused = await server.call('exec_program', { program: open });
    assert.match(
      refused.text,
      /^policy_denied: 1:1 tracepoint:\S+ no predicate confines it .*\(rule scope\)/,
    );
    const [, predicate] =
      /Next: allowed is: the predicate (\/.+\/) in front of its \{/.exec(refused.text) ?? [];
    assert.equal(predicate, `/pid == ${inside}/`);
    assert.match(
      (await server.call('bpf_info')).text,
      new RegExp(`^scope: .*pid ${inside}; .*${predicate}`, 'm'),
    );
    const program = open.replace('{', `${predicate} {`);
    assert.match((await server.call('validate_program', { program: open })).text, /^policy_denied/);
    assert.equal((await server.call('validate_program', { program })).structured?.valid, true);
    const seen = await server.call('exec_program', { program, timeout: 1, wait: 30 });
    assert.match(seen.text, new RegExp(`seeker, ${inside}\\]?: \\d`));
    assert.doesNotMatch(seen.text, /sipper|dozer|burner/);

    const prompt = await server.client.experimental_getPrompt({ name: 'high_cpu', arguments: {} });
    assert.match(JSON.stringify(prompt), new RegExp(`profile:hz:99 /pid == ${inside} && \\(pid != 0\\)/`));
    const disk = await server.client.experimental_getPrompt({ name: 'slow_disk', arguments: {} });
    assert.match(
      JSON.stringify(disk),
      /1\. How long do requests take, by device\?\\nThe operator's policy keeps this/,
    );
    await assert.rejects(
      server.client.experimental_getPrompt({ name: 'high_cpu', arguments: { process: '1' } }),
      /process 1 is not in the operator's scope/,
    );
    await server.close();
  });

  test('through the server: those in a control group, and below it', async t => {
    if (!group) return t.skip('no control groups of version 2 can be made here');
    const server = await ServerUnderTest.start(['--log-level', 'silent', '--scope-cgroups', group]);
    const [, predicate] = /^scope: .* with it: \/(.+)\/$/m.exec((await server.call('bpf_info')).text) ?? [];
    assert.equal(predicate, `cgroup == cgroupid("${group}/below")`);
    const program = `tracepoint:raw_syscalls:sys_enter /${predicate}/ { @[comm] = count(); }`;
    const seen = await server.call('exec_program', { program, timeout: 1, wait: 30 });
    assert.match(seen.text, /dozer\]?: \d/);
    assert.doesNotMatch(seen.text, /sipper|seeker|burner/);
    await server.close();
  });

  test('a process that is gone takes its number out of the scope', async () => {
    const child = spawn('sleep', ['60']);
    const policy = new Policy('observe', { scopePids: `${child.pid},${inside}` });
    const program = `profile:hz:9 /pid == ${child.pid}/ { @ = count(); }`;
    assert.deepEqual(policy.judge(program), []);
    const gone = new Promise(resolve => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    assert.match(policy.judge(program)[0]?.message ?? '', /is gone, and its number may be that of another/);
    assert.deepEqual(policy.description.scope?.pids_gone, [child.pid]);
    assert.equal(policy.description.scope?.predicate, `pid == ${inside}`);
  });

  test('what can be no scope is refused at start', () => {
    const refused: [Record<string, string>, RegExp][] = [
      [{ scopePids: '0' }, /--scope-pids 0: must be pids, parted by commas/],
      [{ scopePids: '1,x' }, /must be pids/],
      [{ scopePids: '4194303' }, /there is no 4194303/],
      [{ scopeCgroups: 'relative' }, /--scope-cgroups relative: must be absolute paths/],
      [{ scopeCgroups: '/sys/fs/cgroup/../x' }, /must be absolute paths/],
      [{ scopeCgroups: '/a"b' }, /must be absolute paths/],
      [{ scopeCgroups: '/usr' }, /\/usr is none/],
      [{ scopePids: '1', policy: 'full' }, /can be kept with --policy observe only/],
    ];
    for (const [flags, message] of refused) assert.throws(() => loadConfig(flags, {}), message);
    const [thread] = threadsOf(process.pid).filter(tid => tid !== process.pid);
    assert.throws(
      () => loadConfig({ scopePids: String(thread) }, {}),
      new RegExp(`${thread} is a thread of ${process.pid}`),
    );
  });
});

function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}

/** What it has to say of a while. */
async function plainBpftrace(program: string): Promise<string> {
  const child = spawn(BPFTRACE, ['-'], { cwd: '/', env: childEnvironment({}) });
  child.stdin.on('error', () => {});
  child.stdin.end(`${program}\ninterval:ms:${RUN_MS} { exit(); }`);
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_BOUND_MS);
  const [out] = await Promise.all([text(child.stdout), text(child.stderr)]);
  clearTimeout(timer);
  return out;
}
