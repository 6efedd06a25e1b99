import { readFileSync, readlinkSync } from 'node:fs';

/** PROC_PID_INIT_INO of linux/proc_ns.h: the first pid namespace, which all others lie in. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
/** Fields of /proc/PID/stat behind the name: the 22nd of all is when the process started. */
const STARTED_AT = 22 - 3;

/** A process as it was when the server began. Its number may become another's; the two together do not. */
export interface KnownProcess {
  pid: number;
  /** In clock ticks since boot. */
  startedAt: string;
}

/** @returns undefined where there is none */
export function knownProcess(pid: number): KnownProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // A name may hold blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startedAt = fields[STARTED_AT];
    return startedAt === undefined ? undefined : { pid, startedAt };
  } catch {
    return undefined;
  }
}

export function isStillThere({ pid, startedAt }: KnownProcess): boolean {
  return knownProcess(pid)?.startedAt === startedAt;
}

/** The process that a number belongs to, where it is that of a thread: /proc has both, under the same kind of path. */
export function processOf(pid: number): number | undefined {
  try {
    const [, group] = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return group === undefined ? undefined : Number(group);
  } catch {
    return undefined;
  }
}

/** bpftrace up to 0.22 tells pids as the first namespace numbers them; elsewhere they are not those that we see. */
export function isInFirstPidNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
  } catch {
    return false;
  }
}
