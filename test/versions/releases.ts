import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, minimalSystem } from '../support/debootstrap.js';

/** Debian's bpftrace releases, side by side on one kernel, each in a minimal system of its own. */
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

/**
 * The path of a bpftrace of this release. Must run in a mount namespace of its own: the kernel's file systems are
 * bound into the release's folder, and must be gone when anybody deletes the cache.
 */
export function prepare({ suite }: Release, say: (line: string) => void): string {
  const folder = minimalSystem(suite, suite, ['bpftrace'], say);
  for (const system of ['sys', 'proc', 'dev']) {
    execFileSync('mount', ['--rbind', `/${system}`, join(folder, system)]);
  }
  const wrapper = join(CACHE, `bpftrace-${suite}`);
  writeFileSync(wrapper, `#!/bin/sh\nexec chroot '${folder}' bpftrace "$@"\n`, { mode: 0o755 });
  return wrapper;
}
