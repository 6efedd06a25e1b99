import { DEBUGFS_PATH, TRACEFS_PATH } from '../bpftrace/checks/kernel.js';
import type { Check } from '../bpftrace/checks.js';

/** From what is missing to the commands that bring it: pure, so that every host's plan can be tested on one. */

export interface Step {
  /** The check that this is for. */
  fixes: string;
  argv: readonly string[];
  why: string;
  timeoutMs: number;
}

export const PACKAGE_MANAGERS = ['apt-get', 'dnf', 'yum', 'pacman', 'zypper', 'apk'] as const;
type PackageManager = (typeof PACKAGE_MANAGERS)[number];

/** `free`: the directory is there and nothing is mounted on it. `absent`: the kernel does not make one. */
export type MountPoint = 'mounted' | 'free' | 'absent';

export interface FixContext {
  /** As the operator gave it; `bpftrace` when they did not. */
  bpftracePath: string;
  /** An executable of that name exists, whether or not it works. */
  bpftraceExists: boolean;
  /** The first of PACKAGE_MANAGERS that the host has. */
  packageManager: PackageManager | undefined;
  tracefs: MountPoint;
  debugfs: MountPoint;
}

const MOUNT_TIMEOUT_MS = 10_000;
/** bpftrace brings LLVM along, 100 MB and more, over whatever line the host has. */
const INSTALL_TIMEOUT_MS = 15 * 60_000;

const INSTALL: Record<PackageManager, readonly (readonly string[])[]> = {
  // Installing goes on when the update fails: one unreachable third-party list fails all of it, and the
  // lists at hand may do.
  'apt-get': [
    ['apt-get', 'update'],
    [
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      'install',
      '-y',
      '--no-install-recommends',
      'bpftrace',
    ],
  ],
  dnf: [['dnf', 'install', '-y', 'bpftrace']],
  yum: [['yum', 'install', '-y', 'bpftrace']],
  // Without -y for the lists: a partial upgrade breaks Arch; a stale list fails plainly.
  pacman: [['pacman', '-S', '--noconfirm', '--needed', 'bpftrace']],
  zypper: [['zypper', '--non-interactive', 'install', 'bpftrace']],
  apk: [['apk', 'add', '--update-cache', 'bpftrace']],
};

/** The steps in the order to run them. None depends on another, so a failed one stops none. */
export function planFixes(checks: readonly Check[], context: FixContext): Step[] {
  const fails = (name: string) => checks.some(check => check.name === name && check.answer !== 'yes');
  const steps: Step[] = [];
  if (fails('tracefs') && context.tracefs === 'free') {
    steps.push({
      fixes: 'tracefs',
      argv: ['mount', '-t', 'tracefs', 'tracefs', TRACEFS_PATH],
      why: 'bpftrace finds tracepoints there; stays until the next boot',
      timeoutMs: MOUNT_TIMEOUT_MS,
    });
  }
  if (fails('debugfs') && context.debugfs === 'free') {
    steps.push({
      fixes: 'debugfs',
      argv: ['mount', '-t', 'debugfs', 'debugfs', DEBUGFS_PATH],
      why: 'older bpftrace looks for kprobe_events there; stays until the next boot',
      timeoutMs: MOUNT_TIMEOUT_MS,
    });
  }
  if (fails('bpftrace') && isInstallable(context)) {
    for (const argv of INSTALL[context.packageManager]) {
      const why = argv.includes('bpftrace')
        ? "the distribution's bpftrace package"
        : 'so that the package manager knows the packages of today';
      steps.push({ fixes: 'bpftrace', argv, why, timeoutMs: INSTALL_TIMEOUT_MS });
    }
  }
  return steps;
}

/** The package brings /usr/bin/bpftrace: not the path or the name that the operator chose, and nothing that
 *  would be found before a broken copy. */
function isInstallable(context: FixContext): context is FixContext & { packageManager: PackageManager } {
  return (
    context.packageManager !== undefined && !context.bpftraceExists && context.bpftracePath === 'bpftrace'
  );
}

/** For a person's shell. */
export function commandText(argv: readonly string[]): string {
  return argv
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
