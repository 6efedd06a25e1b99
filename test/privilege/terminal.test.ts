import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PseudoTerminal } from '../support/pseudo-terminal.js';
import { BPFTRACE } from '../support/server.js';
import { SudoUsers, type TestUser, whyNoSudo } from '../support/sudo-users.js';

/** The password asked for: on a real terminal, by a program, or not at all. */
const PASSWORD = `kw4-${process.pid}-kw4`;
const PROMPT = /\[sudo\] password for/;
const PROGRAM = 'BEGIN { printf("traced %d\\n", 6 * 7); exit(); }';
/** Of `run`: 3 is "this host can't run bpftrace". */
const [OK, UNABLE] = [0, 3];

describe('asking for the password', { skip: whyNoSudo(), concurrency: 4 }, () => {
  let users: SudoUsers;
  let user: TestUser;
  let run: string;
  before(() => {
    users = new SudoUsers();
    user = users.add('tt', { password: PASSWORD, rule: 'ALL=(ALL:ALL) ALL' });
    const { node, main } = users.installation(user);
    const program = join(users.folder, 'program.bt');
    writeFileSync(program, PROGRAM, { mode: 0o644 });
    // Standard input and output are not the terminal, as with a client of the protocol.
    run = `'${node}' '${main}' run --bpftrace '${BPFTRACE}' ${program} </dev/null 2>&1 | cat`;
  });
  after(() => users?.remove());

  /** Runs it on a terminal; `answers` are typed as often as the prompt comes. */
  async function onTerminal(answers: readonly string[], command = `${run}; stty -a`): Promise<string> {
    const terminal = new PseudoTerminal(command, { uid: user.uid });
    try {
      for (const [index, answer] of answers.entries()) {
        await terminal.untilShown(PROMPT, index + 1);
        terminal.type(answer);
      }
      return await terminal.ended();
    } finally {
      terminal.kill();
    }
  }
  const prompts = (shown: string) => shown.match(new RegExp(PROMPT, 'g'))?.length ?? 0;
  const echoes = (shown: string) => / echo\b/.test(shown);

  test('the right one: asked once, never shown, the echo is back afterwards', async () => {
    const shown = await onTerminal([`${PASSWORD}\n`]);
    assert.match(shown, /traced 42/);
    assert.equal(prompts(shown), 1);
    assert.ok(!shown.includes(PASSWORD), shown);
    assert.ok(echoes(shown), shown);
  });

  test('wrong, then right', async () => {
    const shown = await onTerminal(['wrong-one\n', `${PASSWORD}\n`]);
    assert.match(shown, /Sorry, try again/);
    assert.match(shown, /traced 42/);
    assert.ok(!shown.includes('wrong-one'));
  });

  test('wrong three times: no fourth question, and it goes on without', async () => {
    const shown = await onTerminal(['wrong-1\n', 'wrong-2\n', 'wrong-3\n']);
    assert.equal(prompts(shown), 3);
    assert.match(shown, /going on without root/);
    assert.match(shown, /bpftrace needs root, and this server neither/);
    assert.ok(echoes(shown));
  });

  test('no answer but the end of input, and Ctrl-C: the echo is back', async () => {
    const declined = await onTerminal(['\x04']);
    assert.match(declined, /going on without root/);
    assert.ok(echoes(declined));
    const interrupted = await onTerminal(['\x03'], `trap : INT; ${run}; stty -a`);
    assert.doesNotMatch(interrupted, /going on without root|traced/);
    assert.ok(echoes(interrupted), interrupted);
  });

  test('a terminal that another program draws on, or reads from in front: nobody is asked', async () => {
    const drawn = await onTerminal([], `stty -icanon -echo; ${run}; stty sane`);
    assert.equal(prompts(drawn), 0);
    assert.match(drawn, /needs root/);
    const behind = await onTerminal([], `set -m; (${run}) & wait`);
    assert.equal(prompts(behind), 0);
    assert.match(behind, /needs root/);
  });

  const withoutTerminal = (env: NodeJS.ProcessEnv) =>
    spawnSync('setsid', ['--wait', 'sh', '-c', run.replace(' | cat', '')], {
      uid: user.uid,
      gid: user.uid,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    });

  test('no terminal: nobody is asked, it says what to do', () => {
    const { status, stdout } = withoutTerminal({});
    assert.equal(status, UNABLE);
    assert.match(stdout, /needs root.*\n.*SUDO_ASKPASS/);
  });

  test('SUDO_ASKPASS: asked once for all, a failing one is no answer', () => {
    const askpass = join(users.folder, 'askpass');
    writeFileSync(askpass, `#!/bin/sh\necho '${PASSWORD}'\n`, { mode: 0o755 });
    const answered = withoutTerminal({ SUDO_ASKPASS: askpass });
    assert.equal(answered.status, OK, answered.stdout);
    assert.match(answered.stdout, /traced 42/);
    assert.equal(withoutTerminal({ SUDO_ASKPASS: '/bin/false' }).status, UNABLE);
    assert.equal(withoutTerminal({ SUDO_ASKPASS: '/nowhere' }).status, UNABLE);
  });

  test('BPFTRACE_PASSWD is asked nobody, and is no variable of anything that is started', () => {
    const answered = withoutTerminal({ BPFTRACE_PASSWD: PASSWORD });
    assert.equal(answered.status, OK, answered.stdout);
    assert.ok(!answered.stdout.includes(PASSWORD));
    assert.equal(withoutTerminal({ BPFTRACE_PASSWD: '' }).status, UNABLE);
  });
});
