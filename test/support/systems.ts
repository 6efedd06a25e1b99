import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installMissing } from './packages.js';

/** Where minimal Debian systems are kept: made once, some 600 MB each. */
export const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'bpftrace-mcp');

type Say = (line: string) => void;

/** One of Debian's releases, with its bpftrace. */
export interface Release {
  suite: string;
  /** bpftrace's version, as Debian has it at the time of writing. */
  version: string;
  /** What its system holds; trixie's is the one that is booted, too. */
  packages: readonly string[];
}

export const RELEASES: readonly Release[] = [
  { suite: 'bookworm', version: '0.17', packages: ['bpftrace'] },
  {
    suite: 'trixie',
    version: '0.23',
    packages: ['bpftrace', 'nodejs', 'linux-image-cloud-amd64', 'sudo', 'procps'],
  },
  { suite: 'sid', version: '0.27', packages: ['bpftrace'] },
];

/**
 * Starts the system's bpftrace with the system's own libraries on the file system at hand: paths in programs mean
 * what they mean to the tests, and nothing has to be mounted.
 */
const WRAPPER = `#!/bin/sh
here=\${0%/*}
for loader in "$here"/usr/lib/*/ld-linux-*.so.*; do :; done
exec "$loader" --argv0 bpftrace --library-path "\${loader%/*}" "$here/usr/bin/bpftrace" "$@"
`;

/** The path of a bpftrace in a system's folder. */
export const bpftraceIn = (folder: string): string => join(folder, 'bpftrace');

/** The folders of minimal systems of these releases, made side by side where they are missing or not finished. */
export async function minimalSystems(releases: readonly Release[], say: Say): Promise<string[]> {
  const missing = releases.filter(release => !isComplete(release));
  if (missing.length > 0) installMissing({ debootstrap: 'debootstrap' }, say);
  const made = await Promise.allSettled(missing.map(release => make(release, say)));
  const failed = made.find(outcome => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return releases.map(({ suite }) => join(CACHE, suite));
}

/** Names what the system holds, so that another list of packages makes it anew. */
const markOf = ({ suite }: Release): string => join(CACHE, `${suite}.complete`);

function isComplete(release: Release): boolean {
  const mark = markOf(release);
  return existsSync(mark) && readFileSync(mark, 'utf8') === release.packages.join(',');
}

async function make(release: Release, say: Say): Promise<void> {
  const { suite } = release;
  const folder = join(CACHE, suite);
  const packages = release.packages.join(',');
  say(`making a minimal ${suite} with ${packages}`);
  rmSync(markOf(release), { force: true });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const log = join(CACHE, `${suite}.log`);
  const child = spawn(
    'sh',
    [
      '-c',
      'exec debootstrap --variant=minbase --include="$1" "$2" "$3" > "$4" 2>&1',
      '-',
      packages,
      suite,
      folder,
      log,
    ],
    { stdio: 'ignore' },
  );
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`debootstrap of ${suite} ended with ${status}:\n${tail(log)}`);
  writeFileSync(bpftraceIn(folder), WRAPPER, { mode: 0o755 });
  writeFileSync(markOf(release), packages);
}

const tail = (file: string): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
