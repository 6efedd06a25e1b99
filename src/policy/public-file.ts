import { lstatSync, readlinkSync, type Stats, statfsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

/**
 * Which files any user of the host could read, judged from mode bits as `nobody` would meet them: every folder
 * on the way can be searched by others, the file is a regular one and readable by others. Access lists and
 * security modules are not asked: they mostly take rights away.
 */

/** Linux's own bound on symbolic links in a path. */
const LINKS_MAX = 40;
const SEARCHABLE = 0o001;
const READABLE = 0o004;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** PROC_SUPER_MAGIC of linux/magic.h. */
const PROC_MAGIC = 0x9fa0;

/**
 * Files of /proc that are the same for everybody. Mode bits say nothing there: /proc/kallsyms is readable by all
 * and shows addresses to root only.
 */
const PUBLIC_PROC =
  /^\/proc\/(?:buddyinfo|cpuinfo|devices|diskstats|filesystems|interrupts|loadavg|meminfo|misc|partitions|pressure\/(?:cpu|io|irq|memory)|softirqs|stat|swaps|sys\/kernel\/(?:hostname|osrelease|ostype|pid_max|threads-max|version)|uptime|version|vmstat)$/;

export interface Found {
  /** With all symbolic links followed; none when it does not exist. */
  realPath?: string;
  /** Nobody but root can put another file in its place: no folder on the way is writable by others. */
  isHeldByRoot: boolean;
}

/** What `nobody` would find at an absolute path; undefined where he could not even look, or not read it. */
export function findPublicFile(path: string): Found | undefined {
  if (!isAbsolute(path) || path.includes('\0')) return undefined;
  if (PUBLIC_PROC.test(path)) return { realPath: path, isHeldByRoot: true };
  const walk = new Walk();
  try {
    return walk.to(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { isHeldByRoot: walk.isHeldByRoot } : undefined;
  }
}

class Walk {
  isHeldByRoot = true;
  private links = 0;

  /** @throws the file system's error for what is not there */
  to(path: string): Found | undefined {
    const left = path.split('/').filter(part => part !== '' && part !== '.');
    let at = '/';
    let stats = this.enter(at);
    for (let part = left.shift(); part !== undefined; part = left.shift()) {
      if (!stats.isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
      if ((stats.mode & SEARCHABLE) === 0) return undefined;
      const next = part === '..' ? dirname(at) : join(at, part);
      if (next !== at && statfsSync(at).type === PROC_MAGIC) return undefined;
      stats = this.enter(next);
      if (!stats.isSymbolicLink()) {
        at = next;
        continue;
      }
      if (++this.links > LINKS_MAX) return undefined;
      const target = readlinkSync(next);
      left.unshift(...target.split('/').filter(step => step !== '' && step !== '.'));
      if (isAbsolute(target)) at = '/';
      stats = lstatSync(at);
    }
    if (!stats.isFile() || (stats.mode & READABLE) === 0) return undefined;
    return statfsSync(at).type === PROC_MAGIC ? undefined : { realPath: at, isHeldByRoot: this.isHeldByRoot };
  }

  private enter(path: string): Stats {
    const stats = lstatSync(path);
    const replaceable =
      stats.isDirectory() && (stats.mode & WRITABLE_BY_OTHERS) !== 0 && (stats.mode & STICKY) === 0;
    if (stats.uid !== 0 || replaceable) this.isHeldByRoot = false;
    return stats;
  }
}
