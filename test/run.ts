import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installMissing } from './support/packages.js';

/**
 * Runs the test files (all, or those whose path contains one of the arguments), prints each test as it ends,
 * and at the end what failed, what was skipped and why, and the counts. Fails when a test failed or none ran.
 */
const FILES_AT_ONCE = 2;
/** No file takes longer, unless something hangs; in an emulated guest everything takes longer. */
const FILE_BOUND_MS = Number(process.env.BPFTRACE_MCP_TEST_FILE_BOUND_S ?? 300) * 1000;
/**
 * Files that flood the kernel with events run alone, behind the others: while a BPF program runs on a CPU, the
 * kernel skips any other that would interrupt it there, uncounted, and other tests would miss their ticks.
 */
const FLOODING = /^(engine\/flood|workers\/write-guard|privilege\/flood|bookworm-tools)\.test\.js$/;

const root = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.test.js'))
  // The guest's own files run only where they are named.
  .filter(file => (wanted.length > 0 ? wanted.some(part => file.includes(part)) : !file.startsWith('vm/')))
  .sort();

const failures: string[] = [];
const skips: string[] = [];
let passed = 0;

const place = (file: string | undefined): string => relative(root, file ?? '').replace(/\.test\.js$/, '');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function runFiles(some: readonly string[], atOnce: number): Promise<void> {
  if (some.length === 0) return;
  const stream = run({
    files: some.map(file => `${root}${file}`),
    concurrency: atOnce,
    timeout: FILE_BOUND_MS,
  });
  stream.on('test:pass', ({ name, file, skip, details }) => {
    const label = `${place(file)}: ${name}`;
    // A suite that is skipped tells of none of its tests.
    if (details.type === 'suite' && skip === undefined) return;
    if (skip !== undefined) {
      skips.push(`${label}: ${skip === true ? 'NO REASON GIVEN' : skip}`);
      say(`skip  ${label}`);
    } else {
      passed++;
      say(`ok    ${label} (${Math.round(details.duration_ms)} ms)`);
    }
  });
  stream.on('test:fail', ({ name, file, details }) => {
    const { error } = details;
    // A file or a suite fails because a test in it did, which has been told already; its own hooks are told here.
    const timedOut = /timed out/.test(error.message);
    if (name === file && !timedOut && failures.some(failure => failure.startsWith(place(file)))) return;
    if (details.type === 'suite' && /subtests? failed/.test(error.message)) return;
    const cause = error.cause instanceof Error ? error.cause : error;
    failures.push(`${place(file)}: ${name}\n${(cause.stack ?? cause.message).replace(/^/gm, '    ')}`);
    // At once, too: a run that is cut off never comes to its list.
    say(`FAIL  ${place(file)}: ${name}: ${cause.message.split('\n', 1)[0]}`);
  });
  stream.on('test:diagnostic', ({ message }) => {
    // The runner's own counts come this way too; ours stand at the end.
    if (!/^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(message))
      say(`      ${message}`);
  });
  stream.on('test:stderr', ({ message }) => process.stderr.write(message));
  stream.resume();
  await once(stream, 'end');
}

try {
  installMissing({ sudo: 'sudo' }, say);
} catch (error) {
  // What needs it is skipped, with its reason.
  say(error instanceof Error ? error.message : String(error));
}
const begun = performance.now();
await runFiles(
  files.filter(file => !FLOODING.test(file)),
  FILES_AT_ONCE,
);
await runFiles(
  files.filter(file => FLOODING.test(file)),
  1,
);
if (failures.length > 0) say(`\nFailed:\n${failures.join('\n')}`);
say(skips.length > 0 ? `\nSkipped:\n${skips.map(skip => `  ${skip}`).join('\n')}` : '\nNothing was skipped.');
say(
  `${files.length} files on Node ${process.version} in ${Math.round((performance.now() - begun) / 1000)} s`,
);
say(`${passed} passed, ${failures.length} failed, ${skips.length} skipped`);
if (failures.length > 0 || passed === 0) process.exitCode = 1;
