import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { InstallError, install, planInstall } from '../../src/privilege/helper/install.js';
import { HELPER_PATH, RULE_PATH } from '../../src/privilege/helper/place.js';
import { orKilled } from '../support/ending-server.js';
import { BPFTRACE_PATH, installHelperFor, OWN_ROOT, whyNoHelper } from '../support/helper-install.js';
import { liveThrough, standBy } from '../support/privileged-life.js';
import { descendantsOf, isAlive } from '../support/processes.js';
import { ServerUnderTest } from '../support/server.js';
import { SudoUsers, type TestUser, whyNoSudo } from '../support/sudo-users.js';
import { until } from '../support/until.js';
import { type Attack, request } from './attacks/attack.js';
import { programs, type Secrets } from './attacks/programs.js';
import { COMMANDS, REQUESTS, STANDBYS } from './attacks/requests.js';
import { ON_PROCESSES, SURROUNDINGS } from './attacks/surroundings.js';
import { THROUGH_SUDO } from './attacks/through-sudo.js';

/** The helper does for its user what root does for itself, and what a user tries beyond tracing comes to nothing. */

const SLOTS = 3;
const ATTACK_BOUND_MS = 40_000;
const whyNot = whyNoSudo() || whyNoHelper();

interface AtWork {
  child: ChildProcess;
  chain: number[];
}

describe('the installed helper', { skip: whyNot }, () => {
  const secret = `s3cr3t-${process.pid}-t0k3n`;
  const secrets: Secrets = {
    inRoot: `/root/bmcp-secret-${process.pid}`,
    inEtc: `/etc/bmcp-secret-${process.pid}`,
    inVar: `/var/bmcp-secret-${process.pid}`,
  };
  let users: SudoUsers;
  let user: TestUser;
  let stranger: TestUser;
  let mine: string;
  let uninstall: (() => void) | undefined;
  let installed: { helper: Buffer; rule: Buffer };
  before(() => {
    users = new SudoUsers();
    user = users.add('he');
    stranger = users.add('st');
    mine = join(users.folder, 'mine');
    mkdirSync(mine);
    const mark = join(mine, 'owned');
    for (const module of ['evil.pm', 'strict.pm', 'warnings.pm', 'POSIX.pm']) {
      writeFileSync(join(mine, module), `open my $f, '>', '${mark}-$>'; print qq(evil\\n); 1;\n`);
    }
    for (const script of ['sh', 'env', 'askpass', 'bpftrace', 'perl']) {
      writeFileSync(join(mine, script), `#!/bin/sh\nid >${mark}-sh\n`, { mode: 0o755 });
    }
    spawnSync('chown', ['-R', user.name, mine]);
    for (const path of Object.values(secrets)) writeFileSync(path, `${secret}\n`, { mode: 0o600 });
    uninstall = installHelperFor(user, SLOTS);
    installed = { helper: readFileSync(HELPER_PATH), rule: readFileSync(RULE_PATH) };
  });
  after(() => {
    uninstall?.();
    for (const path of Object.values(secrets)) rmSync(path, { force: true });
    users?.remove();
  });

  const start = (attack: Partial<Attack>, who = user): ChildProcess => {
    const script = `SUDO='sudo -n'; ${attack.command ?? '$SUDO $HELPER'}`;
    const child = spawn('setsid', ['--wait', 'sh', '-c', script], {
      uid: who.uid,
      gid: who.uid,
      cwd: '/',
      stdio: 'pipe',
      env: { PATH: process.env.PATH, HELPER: HELPER_PATH, MINE: mine, ...attack.env },
    });
    child.stdin?.on('error', () => {});
    child.stdin?.write(attack.input ?? request());
    if (attack.closes) child.stdin?.end();
    return child;
  };

  const serverOf = (standby: number): Promise<ServerUnderTest> =>
    ServerUnderTest.start(['--standby', `${standby}`], { ...users.installation(user), uid: user.uid });

  /** All that it prints. */
  async function attempt(attack: Partial<Attack>, who = user): Promise<string> {
    const child = start(attack, who);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('latin1').on('data', (chunk: string) => {
        printed += chunk;
      });
    }
    const tooLong = setTimeout(() => child.stdin?.end(), ATTACK_BOUND_MS);
    await once(child, 'close');
    clearTimeout(tooLong);
    return printed;
  }

  test('its user runs, times out, stops, loses the server', async t => {
    const server = await serverOf(0);
    await orKilled(server, () => liveThrough(server, 'helper', line => t.diagnostic(line)));
  });

  test('the policy unsafe, which it can not serve, is refused at start', () => {
    const { main, node } = users.installation(user);
    const { status, stderr } = spawnSync(node, [main, '--policy', 'unsafe'], {
      uid: user.uid,
      gid: user.uid,
      encoding: 'utf8',
      timeout: ATTACK_BOUND_MS,
    });
    assert.deepEqual([status, /--policy unsafe: .* run the server as root/.test(stderr)], [2, true], stderr);
  });

  test('a bpftrace stands by for its user', async t => {
    const server = await serverOf(1);
    await orKilled(server, () => standBy(server, line => t.diagnostic(line)));
  });

  const tables: Record<string, () => readonly Attack[]> = {
    "sudo's rule": () => THROUGH_SUDO,
    'the request': () => REQUESTS,
    'standing by': () => STANDBYS,
    commands: () => COMMANDS,
    programs: () => programs(secrets, OWN_ROOT !== undefined),
    surroundings: () => SURROUNDINGS,
  };
  for (const [what, attacks] of Object.entries(tables)) {
    test(`attempts on ${what}`, async t => {
      const failures: string[] = [];
      const queue = [...attacks()];
      const next = async (): Promise<void> => {
        for (let attack = queue.shift(); attack; attack = queue.shift()) {
          const printed = await attempt(attack);
          const why = printed.includes(secret)
            ? 'THE SECRET CAME OUT'
            : /uid=0\(root\)/.test(printed)
              ? 'IT RAN AS ROOT'
              : attack.outcome.test(printed)
                ? undefined
                : `not ${attack.outcome}`;
          if (why) failures.push(`${attack.name}: ${why}: ${printed.slice(0, 600)}`);
        }
      };
      // One slot is left for what lingers while the next one starts.
      await Promise.all(Array.from({ length: SLOTS - 1 }, next));
      assert.deepEqual(failures, []);
      t.diagnostic(`${attacks().length} attempts`);
      assert.deepEqual(readFileSync(HELPER_PATH), installed.helper, 'the helper is what it was');
      assert.deepEqual(readFileSync(RULE_PATH), installed.rule, 'the rule is what it was');
      const byRoot = readdirSync(mine).filter(name => lstatSync(join(mine, name)).uid === 0);
      assert.deepEqual(byRoot, [], 'nothing that the user left to be run was run by root');
      assert.ok(!existsSync('/root/owned') && !existsSync('/etc/bmcp-owned'), 'nothing was written');
    });
  }

  /** A helper at work: sudo, the helper and bpftrace. */
  const atWork = (lifetime = '60000'): Promise<AtWork> =>
    untilThere(request({ program: 'interval:s:1 { @ = count(); }', lifetime }));
  const standingBy = (standby = '60000'): Promise<AtWork> => untilThere(request({ standby, program: '' }));

  async function untilThere(input: string): Promise<AtWork> {
    const child = start({ input });
    child.stderr?.resume();
    child.stdout?.resume();
    const chain = () =>
      descendantsOf(child.pid ?? 0).filter(({ command }) => /sudo|helper|json/.test(command));
    await until('it is at work', 15_000, () => chain().some(({ command }) => /-f json -$/.test(command)));
    return {
      child,
      chain: chain()
        .filter(({ command }) => !command.includes('sh -c'))
        .map(({ pid }) => pid),
    };
  }
  const gone = (chain: readonly number[]) => until('all gone', 15_000, () => !chain.some(isAlive));

  test('attempts on its processes, by its user and by another', async t => {
    const { child, chain } = await atWork();
    // sudo's own real user is whoever called it: see the next test.
    const ofRoot = chain.filter(pid => !readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('sudo'));
    assert.equal(ofRoot.length, 2);
    const got: string[] = [];
    for (const who of [user, stranger]) {
      for (const command of ON_PROCESSES) {
        for (const pid of ofRoot) {
          const { status } = spawnSync('sh', ['-c', `exec 2>/dev/null; ${command}`], {
            uid: who.uid,
            gid: who.uid,
            env: { PATH: process.env.PATH, P: String(pid) },
            timeout: 10_000,
          });
          const on = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0', 2).join(' ');
          if (status === 0) got.push(`${command} as ${who.name} on ${on}`);
        }
      }
    }
    assert.deepEqual(got, []);
    assert.ok(chain.every(isAlive), 'all are still there');
    t.diagnostic(`${ON_PROCESSES.length * 2 * ofRoot.length} attempts`);
    child.stdin?.end();
    await gone(chain);
  });

  test('its user may signal sudo itself: bpftrace is not orphaned', async () => {
    for (const signal of ['KILL', 'TERM', 'INT', 'HUP']) {
      const { child, chain } = await atWork();
      spawnSync('sh', ['-c', `kill -${signal} ${chain.join(' ')}`], { uid: user.uid, gid: user.uid });
      await gone(chain);
      child.stdin?.end();
    }
  });

  test('the same programs without the helper do read what only root may', () => {
    const asRoot = (program: string) =>
      spawnSync(BPFTRACE_PATH, ['-f', 'json', '-'], { input: program, encoding: 'latin1', timeout: 30_000 });
    const read = asRoot(`BEGIN { cat("/proc/self/root${secrets.inEtc}"); exit(); }`);
    assert.equal(read.stdout.includes(secret), OWN_ROOT === undefined);
  });

  test('another user is not let in', async () => {
    assert.match(await attempt({}, stranger), /password is required|not allowed/);
  });

  test('it ends when its owner is gone, and at the end of its life', async () => {
    const orphan = await atWork();
    process.kill(-(orphan.child.pid ?? 0), 'SIGKILL');
    orphan.child.stdin?.destroy();
    await gone(orphan.chain);
    const old = await atWork('1500');
    await gone(old.chain);
  });

  test('no more at once than it has slots', async () => {
    const working = [await atWork(), await atWork(), await atWork()];
    assert.match(await attempt({}), /3 run already, which is the limit/);
    assert.match(await attempt({ input: request({ standby: '5000' }) }), /3 run already, which is the limit/);
    for (const { child } of working) child.stdin?.end();
    await gone(working.flatMap(({ chain }) => chain));
    assert.match(await attempt({}), /"traced\\n"/);
  });

  test('those that stand by take no slot from a program, and are no more than there are slots', async () => {
    const waiting = [await standingBy(), await standingBy(), await standingBy()];
    assert.match(await attempt({ input: request({ standby: '60000', program: '' }) }), /3 run already/);
    assert.match(await attempt({}), /"traced\\n"/);
    for (const { child } of waiting) child.stdin?.end();
    await gone(waiting.flatMap(({ chain }) => chain));
    const late = await standingBy('1500');
    await gone(late.chain);
  });

  test('what is not installed: for names that are none, for a bpftrace that another user could change', () => {
    const choices = { bpftracePath: BPFTRACE_PATH, slots: 1, maxTimeoutS: 60, userSymbols: false };
    for (const name of [
      'ALL',
      '#0',
      'a b',
      'x\nroot ALL=(ALL) ALL',
      '+net',
      '',
      'nobody ALL=ALL,x',
      '!root',
      'no-such-user-x',
    ]) {
      assert.throws(() => planInstall({ users: [name], groups: [] }, choices), InstallError, name);
    }
    assert.throws(() => planInstall({ users: [], groups: [] }, choices), InstallError);
    const open = join(users.folder, 'bpftrace');
    writeFileSync(open, '#!/bin/sh\n', { mode: 0o755 });
    const plan = planInstall({ users: [user.name], groups: [] }, { ...choices, bpftracePath: open });
    assert.throws(() => install(plan), /can be changed by others than root/);
    assert.deepEqual(readFileSync(HELPER_PATH), installed.helper);
  });
});
