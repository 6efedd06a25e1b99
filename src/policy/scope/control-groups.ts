import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** CGROUP2_SUPER_MAGIC of linux/magic.h. */
const CGROUP2_MAGIC = 0x63677270;
/** Groups that are looked at below one. */
const GROUPS_MAX = 2000;
/** Without quotes and escapes, since it becomes part of a program; no step of it leads up. */
const PLAIN_PATH = /^(?:\/(?!\.\.?(?:\/|$))[\w.@:-]+)+$/;

export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/** Of version 2, which is the one whose groups bpftrace tells. */
export function isControlGroup(path: string): boolean {
  try {
    return statSync(path).isDirectory() && statfsSync(path).type === CGROUP2_MAGIC;
  } catch {
    return false;
  }
}

/** The number that `cgroup` has for it: its inode. */
export function idOf(path: string): string | undefined {
  try {
    return String(statSync(path, { bigint: true }).ino);
  } catch {
    return undefined;
  }
}

/** A group and those below it, outer ones first. */
export function* withThoseBelow(path: string): Iterable<string> {
  const left = [path];
  for (let seen = 0; seen < GROUPS_MAX; seen++) {
    const group = left.shift();
    if (group === undefined) return;
    yield group;
    left.push(...namesBelow(group).map(name => join(group, name)));
  }
}

export function holdsProcesses(path: string): boolean {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'latin1') !== '';
  } catch {
    return false;
  }
}

function namesBelow(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter(entry => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}
