import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Debian's bpftrace releases, side by side on one kernel. The one that is installed runs as it is; the others
 * live in a minimal system of their own, made once by debootstrap and kept in the user's cache.
 */
export interface Release {
  /** bpftrace's version, as Debian has it at the time of writing. */
  version: string;
  suite: string;
}

export const RELEASES: readonly Release[] = [
  { version: '0.17', suite: 'bookworm' },
  { version: '0.23', suite: 'trixie' },
  { version: '0.27', suite: 'sid' },
];

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'bpftrace-mcp');

/**
 * The path of a bpftrace of this release. Must run in a mount namespace of its own: the kernel's file systems are
 * bound into the release's folder, and must be gone when anybody deletes the cache.
 */
export function prepare(release: Release, say: (line: string) => void): string {
  const folder = join(cache, release.suite);
  if (!existsSync(join(folder, '.complete'))) {
    installDebootstrap(say);
    say(`making a minimal ${release.suite} with bpftrace in ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    execFileSync('debootstrap', ['--variant=minbase', '--include=bpftrace', release.suite, folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeFileSync(join(folder, '.complete'), '');
  }
  for (const system of ['sys', 'proc', 'dev']) {
    execFileSync('mount', ['--rbind', `/${system}`, join(folder, system)]);
  }
  const wrapper = join(cache, `bpftrace-${release.suite}`);
  writeFileSync(wrapper, `#!/bin/sh\nexec chroot '${folder}' bpftrace "$@"\n`, { mode: 0o755 });
  return wrapper;
}

function installDebootstrap(say: (line: string) => void): void {
  try {
    execFileSync('debootstrap', ['--version'], { stdio: 'ignore' });
  } catch {
    say('installing debootstrap');
    execFileSync('apt-get', ['update'], { stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
}
