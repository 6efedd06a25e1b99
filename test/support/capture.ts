import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { childEnvironment, TRACE_ARGS } from '../../src/bpftrace/spawn-plan.js';
import { parseVersion } from '../../src/bpftrace/version.js';
import { fixturePath } from './fixtures.js';
import { goldenPrograms, goldenText, runsOn, typedMaps } from './golden-maps.js';

/**
 * `npm run capture -- BPFTRACE…`: runs each program of test/fixtures/maps on each bpftrace, and writes what it printed
 * and what is made of it. Look at the difference before you keep it.
 */
const BOUND_MS = 60_000;

function run(bpftrace: string, args: readonly string[], input = ''): string {
  const { stdout, stderr, status, error } = spawnSync(bpftrace, args, {
    env: childEnvironment(process.env),
    input,
    timeout: BOUND_MS,
  });
  if (status !== 0) throw new Error(`${bpftrace} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout.toString('latin1');
}

const given = process.argv.slice(2);
for (const bpftrace of given.length > 0 ? given : ['bpftrace']) {
  const version = parseVersion(run(bpftrace, ['--version']))?.text;
  if (version === undefined) throw new Error(`${bpftrace} does not tell its version`);
  for (const program of goldenPrograms().filter(known => runsOn(known, version))) {
    const output = Buffer.from(run(bpftrace, TRACE_ARGS, program.text), 'latin1');
    writeFileSync(fixturePath('maps', `${version}-${program.name}.jsonl`), output);
    const typed = goldenText(typedMaps(version, program, output));
    writeFileSync(fixturePath('maps', `${version}-${program.name}.json`), typed);
    process.stdout.write(`${version} ${program.name}: ${output.length} bytes\n`);
  }
}
