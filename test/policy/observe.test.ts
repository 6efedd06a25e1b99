import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { childEnvironment } from '../../src/bpftrace/spawn-plan.js';
import { Policy } from '../../src/policy/policy.js';
import { BPFTRACE } from '../support/server.js';
import { Secret } from './attacks/attack.js';
import { CALLS } from './attacks/calls.js';
import { PREPROCESSING } from './attacks/preprocessing.js';
import { PROBES } from './attacks/probes.js';
import { HOPELESS, READINGS } from './attacks/readings.js';

const ATTACKS = [...CALLS, ...PREPROCESSING, ...PROBES, ...READINGS];
const ATTACKS_MIN = 300;
/** Of the programs that may read the secret every so many-th is tried, and this share really does; others are for other versions. */
const TRIED_EVERY = 3;
const LEAKS_MIN = 1 / 3;
const AT_ONCE = 4;
const RUN_BOUND_MS = 20_000;

describe('the policy observe', { concurrency: true }, () => {
  const secret = new Secret();
  const observe = new Policy('observe');
  after(() => secret.remove());

  test('a program with a command or a fence around it: what to hand in instead', () => {
    for (const program of ["bpftrace -e 'BEGIN { exit(); }'", '```bpftrace\nBEGIN { exit(); }\n```']) {
      const [first] = observe.judge(program);
      assert.equal(first?.rule, 'malformed');
      assert.match(first?.allowed ?? '', /^the program's text alone: /);
    }
  });

  test(`none of ${ATTACKS.length} programs gets around it`, t => {
    if (process.geteuid?.() !== 0) return t.skip('needs root, whose files they are after');
    assert.ok(ATTACKS.length >= ATTACKS_MIN);
    assert.equal(
      new Set(ATTACKS.map(({ program }) => program)).size,
      ATTACKS.length,
      'some stand there twice',
    );
    for (const { program, rules } of ATTACKS) {
      const [first] = observe.judge(secret.in(program));
      assert.ok(first, `passes: ${program}`);
      assert.ok(rules.includes(first.rule), `${program}\n is caught by ${first.rule}: ${first.message}`);
    }
  });

  test('they are real: without it bpftrace prints what only root can read', async t => {
    if (process.geteuid?.() !== 0) return t.skip('needs root');
    const left = ATTACKS.filter(({ isRead }) => isRead).filter((_, index) => index % TRIED_EVERY === 0);
    const total = left.length;
    let leaks = 0;
    const worker = async (): Promise<void> => {
      for (let attack = left.shift(); attack; attack = left.shift()) {
        const said = await plainBpftrace(secret.in(attack.program));
        if (said.includes(Secret.WORD)) leaks++;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    t.diagnostic(`${leaks} of ${total} programs print the secret here`);
    assert.ok(leaks >= total * LEAKS_MIN, `only ${leaks} of ${total} print it`);
  });

  test('what no bpftrace takes is left to bpftrace, whose words about it help more', async t => {
    if (process.geteuid?.() !== 0) return t.skip('needs root');
    for (const program of HOPELESS.map(one => secret.in(one))) {
      assert.deepEqual(observe.judge(program), [], program);
      const said = await plainBpftrace(program);
      assert.match(said, /ERROR/, program);
      assert.ok(!said.includes(Secret.WORD), program);
    }
  });
});

/** Everything it prints, as the engine starts it and with no policy. */
async function plainBpftrace(program: string): Promise<string> {
  const child = spawn(BPFTRACE, ['-'], {
    cwd: '/',
    env: childEnvironment({}),
    timeout: RUN_BOUND_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(program);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return out + err;
}
