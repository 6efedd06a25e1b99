import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startActivity } from '../support/activity.js';
import { PACE } from '../support/pace.js';
import { bpftracesOf } from '../support/processes.js';
import { ServerUnderTest } from '../support/server.js';
import { kernelLabel, readSupport, recordSupport, UNSTEADY } from '../support/support-table.js';
import { attempt } from './attempt.js';
import { GROUPS } from './index.js';

/**
 * Every feature on the bpftrace and the kernel at hand, through the real server, against what is known of them
 * (test/fixtures/support.json). On a bpftrace or a kernel that the table does not know, what is required must
 * work, and the rest is told. UPDATE_SUPPORT=1 writes what is seen; BPFTRACE_MCP_TEST_GROUPS chooses groups.
 */
const UPDATE = process.env.UPDATE_SUPPORT === '1';
const wanted = process.env.BPFTRACE_MCP_TEST_GROUPS?.split(',');
const groups = GROUPS.filter(({ name }) => wanted?.includes(name) ?? true);
assert.equal(groups.length, wanted?.length ?? GROUPS.length, `there are ${GROUPS.map(({ name }) => name)}`);

describe('features', { skip: process.geteuid?.() !== 0 && 'needs root' }, () => {
  let server: ServerUnderTest;
  let activity: { stop: () => Promise<void> };
  let where = { kernel: '', version: '' };
  let known: Record<string, string> | undefined;
  const seen: Record<string, string> = {};

  before(async () => {
    // One that stands by would count as a child that is left.
    server = await ServerUnderTest.start([
      ...['--standby', '0'],
      ...PACE.flags,
      // What bpftrace can do, whatever a policy makes of it.
      ...['--policy', 'full', '--log-level', 'silent', '--concurrency', String(PACE.atOnce)],
    ]);
    where = await whereWeAre(server);
    known = readSupport()[where.kernel]?.[where.version];
    activity = startActivity(PACE.emulated);
  });
  after(async () => {
    await activity.stop();
    await server.close();
    if (UPDATE) recordSupport({ [where.kernel]: { [where.version]: seen } });
  });

  for (const { name, features } of groups) {
    describe(name, { concurrency: PACE.atOnce }, () => {
      for (const feature of features) {
        test(feature.name, async t => {
          const { outcome, why } = await attempt(server, feature);
          seen[feature.name] = outcome;
          const here = `bpftrace ${where.version} on ${where.kernel}`;
          if (feature.required) assert.equal(outcome, 'yes', why);
          if (UPDATE || !known) {
            if (outcome !== 'yes') t.diagnostic(`${feature.name}: ${outcome} (${why})`);
            return;
          }
          if (known[feature.name] === UNSTEADY && outcome !== 'broken') return;
          assert.equal(
            outcome,
            known[feature.name],
            `${why || 'it works'}; the table has another outcome for ${here}: if this one is right, run UPDATE_SUPPORT=1 npm test -- features`,
          );
        });
      }
    });
  }

  test('what ran, and where; nothing is left of it', t => {
    const all = groups.flatMap(({ features }) => features);
    const work = Object.values(seen).filter(outcome => outcome === 'yes').length;
    t.diagnostic(`bpftrace ${where.version} on ${where.kernel}: ${work} of ${all.length} features work`);
    if (!known) t.diagnostic('the table does not know this place: only what is required was compared');
    assert.deepEqual(Object.keys(seen).sort(), all.map(({ name }) => name).sort());
    assert.deepEqual(bpftracesOf(server.pid), []);
  });
});

async function whereWeAre(server: ServerUnderTest): Promise<{ kernel: string; version: string }> {
  const { structured, text } = await server.call('bpf_info');
  const checks = structured?.checks as { name: string; answer: string }[] | undefined;
  const kprobes = checks?.find(({ name }) => name === 'kprobes')?.answer;
  assert.ok(kprobes, text);
  const version = /^\d+\.\d+/.exec(String(structured?.bpftrace_version))?.[0];
  assert.ok(version, text);
  return { kernel: kernelLabel(String(structured?.kernel), kprobes), version };
}
