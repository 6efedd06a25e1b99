import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepare, RELEASES } from './releases.js';

/**
 * The integration suite on each of Debian's bpftrace releases: `npm run test:versions`, or with words
 * (`-- 0.23 engine`) only these releases and files.
 */
const INTEGRATION = [
  'bpftrace/',
  'cli/run',
  'engine/',
  'mcp/contract',
  'mcp/random-calls',
  'readme',
  'shutdown',
  'workers/trace-real',
];
const NAMESPACE_VARIABLE = 'BPFTRACE_MCP_TEST_NAMESPACE';
const runner = fileURLToPath(new URL('../run.js', import.meta.url));
const self = fileURLToPath(import.meta.url);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function main(words: readonly string[]): number {
  // Mounts made here end with this process, even if it is killed.
  if (!process.env[NAMESPACE_VARIABLE]) {
    const env = { ...process.env, [NAMESPACE_VARIABLE]: '1' };
    const inside = ['--mount', '--propagation', 'private', process.execPath, self, ...words];
    return spawnSync('unshare', inside, { stdio: 'inherit', env }).status ?? 1;
  }
  const versions = RELEASES.filter(({ version }) => words.includes(version));
  const files = words.filter(word => !RELEASES.some(({ version }) => version === word));
  const outcomes: string[] = [];
  let failed = false;
  for (const release of versions.length > 0 ? versions : RELEASES) {
    const bpftrace = prepare(release, say);
    const version = execFileSync(bpftrace, ['--version'], { encoding: 'utf8' }).trim();
    say(`\n── ${version} (${release.suite})`);
    if (!version.includes(`v${release.version}.`))
      say(`note: ${release.suite} has moved on from ${release.version}`);
    const begun = performance.now();
    const { status } = spawnSync(process.execPath, [runner, ...(files.length > 0 ? files : INTEGRATION)], {
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

process.exitCode = main(process.argv.slice(2));
