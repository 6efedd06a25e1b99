import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, minimalSystem } from '../support/debootstrap.js';
import { repositoryRoot } from '../support/fixtures.js';

/** What boots in the guest: Debian's cloud kernel and a root file system in memory with the built project. */
export interface Guest {
  kernel: string;
  initrd: string;
}

const SUITE = 'trixie';
const PACKAGES = ['bpftrace', 'nodejs', 'linux-image-cloud-amd64', 'sudo', 'procps'];
/** Of the checkout; the compiler and the linter are not needed to run the tests. */
const LEFT_OUT = /node_modules\/(?:\.cache|\.bin|typescript|@typescript|@biomejs)(?:\/|$)/;
const PROJECT = '/opt/bpftrace-mcp';

/** The results leave by the second serial line, the kernel's messages by the first. */
const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
ln -sf /proc/self/fd /dev/fd
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
ip link set lo up 2>/dev/null
cd ${PROJECT}
uname -r > /dev/ttyS1
BPFTRACE_MCP_TEST_FILE_BOUND_S=1500 node dist/test/run.js vm/ > /dev/ttyS1 2>&1
echo "guest: ended with $?" > /dev/ttyS1
echo o > /proc/sysrq-trigger
sleep 60
`;

export function makeGuest(say: (line: string) => void): Guest {
  const folder = minimalSystem('guest', SUITE, PACKAGES, say);
  const root = repositoryRoot();
  const project = join(folder, PROJECT);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  for (const part of ['dist', 'node_modules', 'package.json']) {
    cpSync(join(root, part), join(project, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: source => !LEFT_OUT.test(source),
    });
  }
  writeFileSync(join(folder, 'guest-init'), INIT, { mode: 0o755 });
  const initrd = join(CACHE, 'guest.cpio');
  say('packing the guest');
  // What no test reads would only cost memory twice, in the image and unpacked.
  const unread = [
    './usr/share/doc',
    './usr/share/man',
    './usr/share/locale',
    './var/cache',
    './var/lib/apt',
    './boot',
  ];
  const prune = unread.map(path => `-path ${path} -prune`).join(' -o ');
  execFileSync(
    'sh',
    ['-c', `find . -xdev \\( ${prune} \\) -o -print | cpio --quiet -o -H newc > "$0"`, initrd],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const kernel = readdirSync(join(folder, 'boot')).find(file => file.startsWith('vmlinuz-'));
  if (!kernel) throw new Error('the guest has no kernel in /boot');
  return { kernel: join(folder, 'boot', kernel), initrd };
}
