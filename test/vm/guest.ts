import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { repositoryRoot } from '../support/fixtures.js';
import { CACHE, minimalSystems, RELEASES } from '../support/systems.js';
import type { Work } from './work.js';

/**
 * What boots in a guest: trixie's kernel and, as disks, trixie itself, the built project, and the systems that
 * have the other releases of bpftrace. Guests write to copies of their own, so they share the images.
 */
export interface Guest {
  kernel: string;
  initrd: string;
  /** In the order of vda, vdb, ... */
  disks: readonly string[];
  arguments: string;
}

type Say = (line: string) => void;

/** Of the checkout; the compiler and the linter are not needed to run the tests. */
const LEFT_OUT = /node_modules\/(?:\.cache|typescript|@typescript|@biomejs)(?:\/|$)/;
const CARRIED = ['dist', 'src', 'node_modules', 'package.json', 'README.md', join('test', 'fixtures')];
/** Where the project's disk is mounted; every system has this folder. */
const PROJECT = '/mnt';
const OTHER_SYSTEMS = ['bookworm', 'sid'];
const IMAGE_SPARE_BYTES = 300 * 2 ** 20;

/**
 * The kernel's messages leave by the first serial line, the results by the second, and by the third the support
 * table, should it be written anew.
 */
function initOf(share: readonly Work[]): string {
  const lines = share.map(({ suite, files, groups }) =>
    [
      suite === 'trixie' ? '' : `BPFTRACE_MCP_BPFTRACE=/srv/${suite}/bpftrace `,
      groups === undefined ? '' : `BPFTRACE_MCP_TEST_GROUPS=${groups} `,
      `node dist/test/run.js ${files} > /dev/ttyS1 2>&1`,
    ].join(''),
  );
  return `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
export BPFTRACE_MCP_TEST_EMULATED=1 BPFTRACE_MCP_TEST_FILE_BOUND_S=1500 UPDATE_SUPPORT=${process.env.UPDATE_SUPPORT ?? ''}
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
ln -sf /proc/self/fd /dev/fd
disk=c
for system in ${OTHER_SYSTEMS.join(' ')}; do
  mkdir -p /srv/$system && mount /dev/vd$disk /srv/$system
  disk=d
done
cd ${PROJECT}
uname -r > /dev/ttyS1
[ -z "$UPDATE_SUPPORT" ] || echo '{}' > test/fixtures/support.json
${lines.join('\n')}
cat test/fixtures/support.json > /dev/ttyS2
echo "guest: at its end after $(cut -d' ' -f1 /proc/uptime) s" > /dev/ttyS1
echo o > /proc/sysrq-trigger
sleep 60
`;
}

/** Makes the guests, one for each share of the work. */
export async function makeGuests(shares: readonly (readonly Work[])[], say: Say): Promise<Guest[]> {
  const [bookworm = '', trixie = '', sid = ''] = await minimalSystems(RELEASES, say);
  const project = join(CACHE, 'project');
  fillProject(project, shares);
  say('making the guest’s disks');
  const disks = [trixie, project, bookworm, sid].map(imageOf);
  const boot = (prefix: string): string => {
    const file = readdirSync(join(trixie, 'boot')).find(name => name.startsWith(prefix));
    if (!file) throw new Error(`trixie's system has no ${prefix}* in /boot`);
    return join(trixie, 'boot', file);
  };
  return shares.map((_, index) => ({
    kernel: boot('vmlinuz-'),
    initrd: boot('initrd.img-'),
    disks,
    arguments: `init=/bin/sh -- -c "mount /dev/vdb ${PROJECT} && exec ${PROJECT}/init-${index}"`,
  }));
}

function fillProject(folder: string, shares: readonly (readonly Work[])[]): void {
  rmSync(folder, { recursive: true, force: true });
  for (const part of CARRIED) {
    cpSync(join(repositoryRoot(), part), join(folder, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: source => !LEFT_OUT.test(source),
    });
  }
  for (const [index, share] of shares.entries()) {
    const init = join(folder, `init-${index}`);
    writeFileSync(init, initOf(share));
    chmodSync(init, 0o755);
  }
}

/** A disk image of a folder, with some room. Those of Debian's systems are kept until the system is made anew. */
function imageOf(folder: string): string {
  const image = `${folder}.ext4`;
  const mark = `${folder}.complete`;
  if (existsSync(mark) && existsSync(image) && statSync(image).mtimeMs > statSync(mark).mtimeMs) return image;
  rmSync(image, { force: true });
  const usedKib = Number(execFileSync('du', ['-sxk', folder], { encoding: 'utf8' }).split('\t')[0]);
  const sizeKib = Math.ceil((usedKib * 1.15 * 1024 + IMAGE_SPARE_BYTES) / 1024);
  execFileSync(
    'mke2fs',
    ['-q', '-t', 'ext4', '-O', '^has_journal', '-L', basename(folder), '-d', folder, image, `${sizeKib}k`],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return image;
}
