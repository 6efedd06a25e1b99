import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HostInfo } from '../../src/engine/index.js';
import { installedVersion } from '../support/installed.js';
import { type Reply, ServerUnderTest } from '../support/server.js';
import { SudoUsers, type TestUser, whyNoSudo } from '../support/sudo-users.js';
import { startWriter } from '../support/writer.js';
import { recordedPrograms } from './programs.js';
import { askAll, comparable, type Told, talk, unmarked, use } from './told.js';

const AT_ONCE = 4;
/** Which mostly wait. */
const REPLAYED_AT_ONCE = 12;

const NOW = { name: 'now', program: 'BEGIN { printf("%d\n", nsecs); exit(); }' };
const BIG = {
  name: 'big',
  // A megabyte within a second on any machine.
  program: `interval:us:100 { ${`printf("${'x'.repeat(60)}\\n"); `.repeat(8)} @n = count(); }`,
  timeout: 1,
};

describe('record and replay', { skip: whyNoSudo() }, () => {
  let users: SudoUsers;
  let user: TestUser;
  let installed: { main: string; node: string };
  let folder = '';
  let recorded: Map<string, Told>;
  let answers: Reply[];
  let info: HostInfo;
  const moments: string[][] = [];
  const servers: ServerUnderTest[] = [];
  const started = async (starting: Promise<ServerUnderTest>): Promise<ServerUnderTest> => {
    const server = await starting;
    servers.push(server);
    return server;
  };
  const version = installedVersion();
  const programs = recordedPrograms(version);

  before(async () => {
    users = new SudoUsers();
    user = users.add('replay');
    installed = users.installation(user);
    folder = mkdtempSync(join(users.folder, 'recorded-'));
    const flags = [
      '--record',
      folder,
      '--policy',
      'full',
      '--concurrency',
      `${AT_ONCE}`,
      '--standby',
      '0',
      '--log-level',
      'warn',
    ];
    const server = await started(ServerUnderTest.start(flags, { env: { BPFTRACE_PERF_RB_PAGES: '4' } }));
    answers = await askAll(server);
    // It reads as often as it writes: more than so small a buffer holds.
    const reader = startWriter();
    recorded = await talk(server, programs, AT_ONCE);
    reader.kill('SIGKILL');
    for (let i = 0; i < 3; i++) moments.push((await use(server, NOW)).result.output);
    info = (await server.call('bpf_info')).structured as HostInfo;
    await server.close();
    assert.equal(server.log, '');
  });
  after(() => {
    // Of a test that failed.
    for (const server of servers) server.process.kill();
    users?.remove();
  });

  /** As a user who may do nothing, with no bpftrace: on a copy that is theirs. */
  async function replayer(
    flags: readonly string[] = [],
    spoil?: (folder: string) => void,
  ): Promise<ServerUnderTest> {
    const copy = mkdtempSync(join(users.folder, 'copy-'));
    cpSync(folder, copy, { recursive: true });
    spoil?.(copy);
    execFileSync('chown', ['-R', `${user.uid}`, copy]);
    const own = [
      '--replay',
      copy,
      '--policy',
      'full',
      '--bpftrace',
      '/nowhere/bpftrace',
      '--log-level',
      'warn',
    ];
    return started(
      ServerUnderTest.start([...own, '--concurrency', `${REPLAYED_AT_ONCE}`, ...flags], {
        ...installed,
        uid: user.uid,
      }),
    );
  }

  test('the recordings are of what they should be of', t => {
    const results = [...recorded.values()].map(({ result }) => result);
    const kinds = new Set(results.map(({ status, ended_by, reason }) => reason ?? `${status} ${ended_by}`));
    t.diagnostic(`${results.length} programs, bpftrace ${version.text}: ${[...kinds].join(', ')}`);
    assert.ok(results.length >= 25);
    for (const kind of [
      'completed exit',
      'completed deadline',
      'stopped stop',
      'compile_failed',
      'attach_failed',
      'died',
    ])
      assert.ok(kinds.has(kind), kind);
    assert.ok(
      results.some(({ lost_events: lost }) => lost > 0),
      'no events were lost',
    );
    assert.ok(results.some(({ lines_dropped: dropped }) => dropped > 0));
    const snapshots = [...recorded.values()].flatMap(told => told.snapshots) as { snapshot_at?: number }[];
    assert.equal(snapshots.length, 3);
    for (const snapshot of snapshots) assert.ok((snapshot.snapshot_at ?? 0) > 0, JSON.stringify(snapshot));
  });

  test('only its owner can read it', () => {
    assert.equal(statSync(folder).mode & 0o077, 0);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      assert.equal(statSync(join(folder, file)).mode & 0o077, 0, file);
  });

  test('an unprivileged user gets the same answers', async () => {
    const server = await replayer();
    const again = await askAll(server);
    const validations = again.filter(({ structured }) => structured?.method !== undefined);
    assert.equal(validations.length, 2);
    for (const { text, structured } of validations) {
      assert.equal(structured?.replayed, true);
      assert.match(text, /\nreplayed from a recording$/);
    }
    assert.deepEqual(again.map(unmarked), answers);
    const replayed = await talk(server, programs, REPLAYED_AT_ONCE);
    for (const [name, told] of recorded) {
      const replay = replayed.get(name);
      assert.ok(replay);
      assert.equal(replay.result.replayed, true);
      assert.match(replay.text, /; replayed from a recording/);
      assert.deepEqual(comparable(replay), comparable(told), name);
    }
    // Of one program, one recording after the other, and the last one for ever.
    const [first, second, third] = moments;
    for (const moment of [first, second, third, third])
      assert.deepEqual((await use(server, NOW)).result.output, moment);
    const { text, structured } = await server.call('bpf_info');
    assert.match(text, /^REPLAY: nothing is traced here/);
    const { replay, ...host } = structured as HostInfo;
    assert.equal(replay?.programs, programs.length + 1);
    assert.equal(replay.recordings, programs.length + 3);
    for (const name of ['kernel', 'arch', 'bpftrace_version', 'privileges', 'features'] as const)
      assert.deepEqual(host[name], info[name]);
    const checks = ({ checks }: Pick<HostInfo, 'checks'>) => checks.map(({ name, answer }) => [name, answer]);
    assert.deepEqual(checks(host), checks(info));
    await server.close();
    assert.equal(server.log, '');
  });

  test('without the pauses too; a stop or another timeout changes nothing but what is said of it', async () => {
    const server = await replayer(['--replay-pace', 'fast']);
    const waiting = programs.filter(({ snapshots, stopAtLine, kill }) => !snapshots && !stopAtLine && !kill);
    const begun = performance.now();
    const replayed = await talk(server, waiting, REPLAYED_AT_ONCE);
    const tookMs = performance.now() - begun;
    for (const [name, told] of replayed)
      assert.deepEqual(comparable(told), comparable(recorded.get(name) ?? told), name);
    const tracedMs = [...replayed.values()].reduce((sum, { result }) => sum + result.duration * 1000, 0);
    assert.ok(tookMs < tracedMs || tracedMs < 3000, `${tookMs} ms for ${tracedMs} ms`);
    await server.close();

    const slow = await replayer();
    const snapshots = programs.find(({ name }) => name === 'snapshots');
    const { execution_id: id } = await slow.result('exec_program', {
      program: snapshots?.program,
      timeout: 20,
    });
    const stopped = await slow.result('stop_program', { execution_id: id });
    const whole = recorded.get('snapshots')?.result;
    assert.equal(stopped.status, 'stopped');
    assert.equal(stopped.duration, whole?.duration);
    assert.deepEqual(stopped.maps, whole?.maps);
    assert.match(
      stopped.replay_note ?? '',
      /^it was recorded with a timeout of 1\.5 s, not 20 s; the stop came before the end of the recording: this is all of it, up to its deadline$/,
    );
    // Asked for more often than it was recorded.
    const again = await slow.result('exec_program', {
      program: `${snapshots?.program} // once more`,
      timeout: 1.5,
    });
    assert.equal(again.status, 'running', 'blanks and comments make no other program');
    const asked: (string | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      const shown = await slow.result('get_result', { execution_id: again.execution_id, snapshot: true });
      asked.push(shown.no_snapshot);
    }
    assert.deepEqual(asked.slice(0, 2), [undefined, undefined]);
    if (asked[2] !== undefined) assert.match(asked[2], /no further snapshot was asked for/);
    await slow.close();
  });

  test('what was not recorded is refused, and said to be so', async () => {
    const spoil = (copy: string): void => {
      const traces = join(copy, 'traces');
      const [first = ''] = readdirSync(traces).filter(name =>
        readFileSync(join(traces, name)).includes('nsecs); exit();'),
      );
      truncateSync(join(traces, first), statSync(join(traces, first)).size - 3);
    };
    const server = await replayer([], spoil);
    const refused = await server.call('exec_program', {
      program: 'interval:ms:20 { @n = count(); @other = count(); }',
    });
    assert.equal(refused.isError, true);
    assert.match(refused.text, /^not_recorded: this is a replay, and this program is none of the \d+/);
    assert.match(refused.text, /the nearest: "interval:ms:20 \{ @n = count\(\)/);
    const validated = await server.call('validate_program', { program: 'BEGIN { }' });
    assert.equal(validated.structured?.valid, null);
    assert.match(validated.text, /was not validated when it was recorded/);
    const type = await server.call('list_probes', { filter: 'struct task_struct' });
    assert.match(type.text, /^not_recorded: /);
    const { replay } = (await server.call('bpf_info')).structured as HostInfo;
    assert.equal(replay?.broken, 1);
    assert.deepEqual((await use(server, NOW)).result.output, moments[1]);
    await server.close();
  });

  test('a recording that grows too large is given up, and its program is not', async () => {
    const small = mkdtempSync(join(tmpdir(), 'small-'));
    const server = await started(
      ServerUnderTest.start(['--record', small, '--policy', 'full', '--record-max-bytes', '1048576']),
    );
    const { result } = await use(server, BIG);
    assert.equal(result.status, 'completed');
    assert.match(server.log, /more than 1048576 bytes, the limit of --record-max-bytes/);
    const { recording } = (await server.call('bpf_info')).structured as HostInfo;
    assert.equal(recording?.failed, 1);
    await server.close();
    assert.deepEqual(readdirSync(join(small, 'traces')), []);
    rmSync(small, { recursive: true });
  });
});
