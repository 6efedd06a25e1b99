import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from '../../src/privilege/executable.js';
import { repositoryRoot } from './fixtures.js';
import { descendantsOf, isAlive } from './processes.js';
import { until } from './until.js';

const NAME = 'bpftrace-mcp.service';
const SYSTEMD = ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'].find(path => existsSync(path));
const BOOT_BOUND_MS = 60_000;
/** Where the unit's installation is for it: folders for temporary files, in which a checkout may be, are hidden from it. */
const INSTALLED = '/opt/bpftrace-mcp-test';

/**
 * The host's own files below a layer that takes what is written, and systemd as the first process of namespaces of its
 * own: it starts one unit, and is gone, with all that it mounted, when it is killed. Nothing else is started.
 */
const BOOT = `set -eu
folder=$1 tree=$2 systemd=$3 installed=$4
mount --make-rprivate /
mount -t tmpfs tmpfs $folder
mkdir $folder/upper $folder/work $folder/root
root=$folder/root
mount -t overlay overlay -o lowerdir=/,upperdir=$folder/upper,workdir=$folder/work $root
mount -t proc proc $root/proc
mount --rbind /sys $root/sys
umount -l $root/sys/fs/cgroup
mount -t cgroup2 none $root/sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs $root/run
mount --rbind /dev $root/dev
mkdir -p $root$installed $root/etc/systemd/system/${NAME}.d
mount --rbind $tree $root$installed
cat > $root/etc/systemd/system/${NAME}
printf '[Unit]\\nDefaultDependencies=no\\nAfter=\\nWants=\\n[Service]\\nStandardError=file:/said\\n' > $root/etc/systemd/system/${NAME}.d/alone.conf
exec chroot $root env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin $systemd --system --unit=${NAME} --log-level=warning --log-target=console --show-status=no`;

/** Why no systemd can be booted here; undefined: it can be tried. */
export function noBoot(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root can';
  if (!SYSTEMD) return 'systemd is not installed';
  if (!findExecutable('unshare', process.env)) return 'there is no unshare';
  if (!cgroup2()) return 'no cgroup v2 is mounted';
  try {
    const tries =
      'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r';
    execFileSync('unshare', ['-fpmiuC', 'sh', '-c', `mount --make-rprivate / && ${tries}`], {
      stdio: 'pipe',
    });
    return undefined;
  } catch (error) {
    return `this machine does not let it: ${error instanceof Error ? error.message : error}`;
  }
}

function cgroup2(): string | undefined {
  return /^cgroup2 (\S+) /m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
}

/** A unit under a systemd that was booted for it. */
export class BootedUnit {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly group: string,
    /** Of systemd, as seen from here. */
    private readonly pid: number,
  ) {}

  static async start(unit: string): Promise<BootedUnit> {
    const tree = repositoryRoot();
    const folder = mkdtempSync(join(tmpdir(), 'mcp-systemd-'));
    const group = join(cgroup2() ?? '', `bpftrace-mcp-test-${process.pid}`);
    mkdirSync(group);
    const enter = 'echo $$ > "$0/cgroup.procs" && exec unshare -fpmiuC --kill-child sh -c "$@"';
    const child = spawn('sh', ['-c', enter, group, BOOT, 'boot', folder, tree, SYSTEMD ?? '', INSTALLED], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    child.stdin?.end(unit.replaceAll(tree, INSTALLED));
    const booting = new BootedUnit(child, folder, group, 0);
    try {
      const pid = await until('systemd runs', BOOT_BOUND_MS, () => {
        if (child.exitCode !== null) throw new Error(`it could not be booted: ${child.exitCode}`);
        return descendantsOf(child.pid ?? 0).find(({ command }) => command.startsWith(`${SYSTEMD} --system`))
          ?.pid;
      });
      return new BootedUnit(child, folder, group, pid);
    } catch (error) {
      await booting.end();
      throw error;
    }
  }

  /** A path of the unit's, as it is reached from here. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** What the unit has said on standard error. */
  get said(): string {
    return existsSync(this.path('/said')) ? readFileSync(this.path('/said'), 'utf8') : '';
  }

  /** Processes of the unit. */
  get processes(): ReturnType<typeof descendantsOf> {
    return descendantsOf(this.pid).filter(({ pid }) => isAlive(pid));
  }

  systemctl(...args: string[]): string {
    const into = ['-t', String(this.pid), '-m', '-p', '-C', '-i', '-u', '-r', '-w', 'systemctl', ...args];
    return execFileSync('nsenter', into, { encoding: 'utf8' });
  }

  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
    await until('its control groups are empty', BOOT_BOUND_MS, () => removeGroup(this.group));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** True when it is gone. */
function removeGroup(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(group, entry.name));
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group);
  }
}
