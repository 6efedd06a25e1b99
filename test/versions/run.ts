import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bpftraceIn, minimalSystems, RELEASES } from '../support/systems.js';

/**
 * `npm run test:versions`: what depends on bpftrace, on each of Debian's releases of it; with words
 * (`-- 0.23 engine`) only these releases and files. Of the installed release `npm test` has seen to already.
 */
const FILES = [
  'bpftrace/',
  'cli/run',
  'engine/engine',
  'engine/flood',
  'features/',
  'mcp/contract',
  'readme',
  'workers/trace-real',
];
const runner = fileURLToPath(new URL('../run.js', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const versionOf = (bpftrace: string): string =>
  execFileSync(bpftrace, ['--version'], { encoding: 'utf8' }).trim();

async function main(words: readonly string[]): Promise<number> {
  const named = RELEASES.filter(({ version }) => words.includes(version));
  const files = words.filter(word => !RELEASES.some(({ version }) => version === word));
  const installed = versionOf('bpftrace');
  const isInstalled = ({ version }: { version: string }): boolean => installed.includes(`v${version}.`);
  const releases = named.length > 0 ? named : RELEASES.filter(release => !isInstalled(release));
  if (named.length === 0) say(`${installed} is installed: npm test runs on it`);

  const folders = await minimalSystems(releases, say);
  const outcomes: string[] = [];
  let failed = false;
  for (const [index, release] of releases.entries()) {
    const bpftrace = bpftraceIn(folders[index] ?? '');
    const version = versionOf(bpftrace);
    say(`\n── ${version} (${release.suite})`);
    if (!version.includes(`v${release.version}.`)) {
      say(`note: ${release.suite} has moved on from ${release.version}`);
    }
    const begun = performance.now();
    const { status } = spawnSync(process.execPath, [runner, ...(files.length > 0 ? files : FILES)], {
      stdio: 'inherit',
      env: { ...process.env, BPFTRACE_MCP_BPFTRACE: bpftrace },
    });
    failed ||= status !== 0;
    const seconds = Math.round((performance.now() - begun) / 1000);
    outcomes.push(`${version} (${release.suite}): ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  }
  say(`\n${outcomes.join('\n')}`);
  return failed ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
