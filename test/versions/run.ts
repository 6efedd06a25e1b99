import { execFileSync } from 'node:child_process';
import { type Counts, countsLine, sumOf } from '../support/counts.js';
import { runSuite } from '../support/suite.js';
import { bpftraceIn, minimalSystems, RELEASES, type Release } from '../support/systems.js';
import { tryBreaks } from './breaks.js';

/**
 * `npm run test:versions`: what depends on bpftrace, on each of Debian's releases of it, and whether the suite
 * notices what is broken on purpose; with words (`-- 0.23 engine`) only these releases and files. Of the
 * installed release `npm test` has seen to already.
 */
const FILES = [
  'bpftrace/broken',
  'bpftrace/reference',
  'cli/run',
  'engine/engine',
  'engine/exact-maps',
  'engine/flood',
  'engine/snapshot',
  'engine/validator',
  'faults/bpftrace',
  'features/',
  'mcp/contract',
  'mcp/list-probes',
  'policy/observe',
  'policy/scope',
  'readme',
  'workers/trace-real',
  'workers/write-guard',
];

interface Installed extends Release {
  /** The path of its bpftrace. */
  bpftrace: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const versionOf = (bpftrace: string): string =>
  execFileSync(bpftrace, ['--version'], { encoding: 'utf8' }).trim();

async function main(words: readonly string[]): Promise<number> {
  const named = RELEASES.filter(({ version }) => words.includes(version));
  const files = words.filter(word => !RELEASES.some(({ version }) => version === word));
  const releases = await prepare(named.length > 0 ? named : RELEASES);
  const outcomes: string[] = [];
  const all: Counts[] = [];
  for (const { suite, version, bpftrace } of releases) {
    const found = versionOf(bpftrace);
    if (named.length === 0 && bpftrace === 'bpftrace') {
      say(`${found} is the installed one: npm test runs on it`);
      continue;
    }
    say(`\n── ${found} (${suite})`);
    if (!found.includes(`v${version}.`)) say(`note: ${suite} has moved on from ${version}`);
    const run = await runSuite(files.length > 0 ? files : FILES, { BPFTRACE_MCP_BPFTRACE: bpftrace });
    all.push(run);
    outcomes.push(`${found} (${suite}): ${countsLine(run)}, in ${run.seconds} s`);
  }
  if (words.length === 0) {
    say('\n── broken on purpose');
    const breaks = await tryBreaks(suite => releases.find(one => one.suite === suite)?.bpftrace, say);
    all.push(breaks);
    outcomes.push(`broken on purpose: ${countsLine(breaks)}`);
  }
  const sum = sumOf(all);
  say(`\n${outcomes.join('\n')}\n${countsLine(sum)}`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

/** The releases with their bpftrace: the installed one where it is of the release, else that of a minimal system. */
async function prepare(releases: readonly Release[]): Promise<Installed[]> {
  const installed = versionOf('bpftrace');
  const isInstalled = ({ version }: Release): boolean => installed.includes(`v${version}.`);
  const others = releases.filter(release => !isInstalled(release));
  const folders = await minimalSystems(others, say);
  return releases.map(release => {
    const at = others.indexOf(release);
    return { ...release, bpftrace: at < 0 ? 'bpftrace' : bpftraceIn(folders[at] ?? '') };
  });
}

process.exitCode = await main(process.argv.slice(2));
