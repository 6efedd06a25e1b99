import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { tokenize } from '../../src/bpftrace/language/tokenizer.js';
import { parseVersion } from '../../src/bpftrace/version.js';
import { seeded } from '../support/random.js';
import { BPFTRACE } from '../support/server.js';
import { CALLS } from './attacks/calls.js';
import { HOPELESS, READINGS } from './attacks/readings.js';
import { mutate } from './mutate.js';
import { ONE_LINERS } from './one-liners.js';
import { type Essence, essenceByBpftrace, essenceOf } from './parser.js';

/** More with BPFTRACE_MCP_FUZZ_RUNS. */
const RUNS = Number(process.env.BPFTRACE_MCP_FUZZ_RUNS ?? 100);
/** One in so many is a program as it stands. */
const UNCHANGED = 4;
const SEED = Number(process.env.BPFTRACE_MCP_FUZZ_SEED ?? 20261129);
const AT_ONCE = 4;
/** Fewer programs that both take would test nothing. */
const TAKEN_MIN = 0.05;
/** Macros of the preprocessor are put in by 0.17's and 0.23's parser, and bpftrace's own by none. */
const HAS_MACROS = /#\s*define|^\s*import/m;

/**
 * The tree of 0.17 shows where a bare name was found, and loses its depth behind a while; 0.27 prints strings of a
 * config block without their quotes.
 */
const PRINTED_OTHERWISE = /\bu\w*:(?:libc|bash):|\bwhile\b|config.*"/;

const SEEDS = [...ONE_LINERS, ...[...READINGS, ...CALLS].map(({ program }) => program), ...HOPELESS]
  .filter(program => !HAS_MACROS.test(program) && !PRINTED_OTHERWISE.test(program))
  .map(program => program.replace(/\$[SD]\b/g, '/etc/hostname'));

test(`what bpftrace takes is read the same way by our tokenizer (${RUNS} programs, seed ${SEED})`, async t => {
  if (process.geteuid?.() !== 0) return t.skip('needs root');
  const version = parseVersion(execFileSync(BPFTRACE, ['--version'], { encoding: 'utf8' }));
  assert.ok(version);
  const random = seeded(SEED);
  const counts = { taken: 0, refused: 0, malformed: 0 };
  const disagreements: string[] = [];
  const programs = Array.from({ length: RUNS }, (_, index) =>
    index % UNCHANGED === 0 ? (SEEDS[random.below(SEEDS.length)] ?? '') : mutate(SEEDS, random),
  );
  const judge = async (program: string): Promise<void> => {
    const theirs = await essenceByBpftrace(BPFTRACE, version, program);
    const tokens = tokenize(program);
    const last = tokens.at(-1);
    if (!theirs) counts.refused++;
    else if (last?.kind !== 'invalid') {
      counts.taken++;
      const difference = differenceOf(essenceOf(tokens), theirs);
      if (difference) disagreements.push(`${JSON.stringify(program)}\n  ${difference}`);
    } else {
      counts.malformed++;
      if (!last.isTakenBySome)
        disagreements.push(`${JSON.stringify(program)}\n  is taken, in spite of ${last.problem}`);
    }
  };
  const left = [...programs];
  const worker = async (): Promise<void> => {
    for (let program = left.pop(); program !== undefined; program = left.pop()) await judge(program);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.diagnostic(
    `${counts.taken} are taken by both, ${counts.malformed} by bpftrace alone, ${counts.refused} are refused by bpftrace`,
  );
  assert.deepEqual(disagreements, []);
  assert.ok(counts.taken >= RUNS * TAKEN_MIN, `only ${counts.taken} of ${RUNS} were taken`);
});

function differenceOf(ours: Essence, theirs: Essence): string | undefined {
  const [one, other] = [ours, theirs].map(({ attachPoints, words }) =>
    [...attachPoints, '|', ...words].join(' '),
  );
  return one === other ? undefined : `ours: ${one}\n  bpftrace's: ${other}`;
}
