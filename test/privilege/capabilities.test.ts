import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { atLeast, parseVersion } from '../../src/bpftrace/version.js';
import { OWN_ROOT } from '../support/helper-install.js';
import { BPFTRACE } from '../support/server.js';
import { SudoUsers, type TestUser, whyNoSudo } from '../support/sudo-users.js';

/** Releases below insist on uid 0, whatever the capabilities. */
const CONTENT_FROM = '0.24';
/** What 0.27 asks for; another release in a root of its own needs one more to get there. */
const CAPABILITIES = [
  'bpf',
  'perfmon',
  'dac_read_search',
  'dac_override',
  ...(OWN_ROOT ? ['sys_chroot'] : []),
];

describe('capabilities alone', { skip: whyNoSudo() }, () => {
  let users: SudoUsers;
  let user: TestUser;
  before(() => {
    users = new SudoUsers();
    user = users.add('ca');
  });
  after(() => users?.remove());

  const run = (...command: string[]) => {
    const { node, main } = users.installation(user);
    const granted = CAPABILITIES.map(name => `+${name}`).join(',');
    const asUser = ['--reuid', String(user.uid), '--regid', String(user.uid), '--clear-groups'];
    const ambient = ['--inh-caps', granted, '--ambient-caps', granted];
    return spawnSync('setpriv', [...asUser, ...ambient, node, main, ...command, '--bpftrace', BPFTRACE], {
      cwd: '/',
      encoding: 'utf8',
    });
  };

  test('they are enough where this bpftrace says so; otherwise the server says what to do', t => {
    const version = parseVersion(execFileSync(BPFTRACE, ['--version'], { encoding: 'utf8' }));
    const { status, stdout, stderr } = run('run', '-e', 'BEGIN { printf("traced\\n"); exit(); }');
    if (/apply capabilities/.test(stderr)) return t.skip('this container does not have these capabilities');
    if (version && atLeast(version, CONTENT_FROM)) {
      assert.deepEqual([status, stdout.trim()], [0, 'traced'], stderr);
      assert.match(run('doctor').stdout, /^ok +privileges +uid \d+, with the capabilities/m);
    } else {
      assert.equal(status, 3);
      assert.match(stderr, /needs root/);
    }
  });
});
