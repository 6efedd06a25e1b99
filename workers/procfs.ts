import { readdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:process';

/**
 * What /proc says about a child. Every answer may be "could not tell" (`undefined`): the process may be
 * gone, or may belong to another user, whose files the kernel does not show.
 */

/** System call numbers in which a process waits for events: epoll_wait and epoll_pwait. */
const EPOLL_WAIT: Record<string, readonly string[]> = {
  x64: ['232', '281'],
  arm64: ['22'],
};
const EPOLL_NUMBERS = EPOLL_WAIT[arch] ?? [];
/** write and writev. */
const WRITE: Record<string, readonly string[]> = {
  x64: ['1', '20'],
  arm64: ['64', '66'],
};
const WRITE_NUMBERS = WRITE[arch] ?? [];

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The bpftrace at the end of a chain of wrappers (a shell script, sudo): the first child's first child, and so on. */
export function leafProcess(pid: number): number {
  let leaf = pid;
  for (let depth = 0; depth < 8; depth++) {
    const child = read(`/proc/${leaf}/task/${leaf}/children`)?.trim().split(' ')[0];
    if (!child) break;
    leaf = Number(child);
  }
  return leaf;
}

/** Whether the process sleeps in epoll_wait, where bpftrace goes only when everything is attached. */
export function waitsForEvents(pid: number): boolean | undefined {
  if (EPOLL_NUMBERS.length === 0) return undefined;
  const number = read(`/proc/${pid}/syscall`)?.split(' ', 1)[0];
  return number === undefined ? undefined : isEventWait(number);
}

/** Of a system call's number, as /proc/PID/syscall has it. */
export function isEventWait(number: string): boolean {
  return EPOLL_NUMBERS.includes(number);
}

function isWrite(number: string): boolean {
  return WRITE_NUMBERS.includes(number);
}

/** Whether one of its threads sleeps in a write. One that is running, or about to, does not. */
export function blockedInWrite(pid: number): boolean | undefined {
  const calls = threadsOf(pid)?.map(thread => read(`/proc/${pid}/task/${thread}/syscall`));
  if (WRITE_NUMBERS.length === 0 || !calls || calls.every(call => call === undefined)) return undefined;
  return calls.some(call => isWrite(call?.split(' ', 1)[0] ?? ''));
}

/** Whether one of its threads runs, wants to run, or is held by the kernel in a wait that no signal ends. */
export function isHeldUp(pid: number): boolean | undefined {
  return threadsOf(pid)?.some(thread => /^[RD]$/.test(statFields(`${pid}/task/${thread}`)?.[0] ?? ''));
}

const SIGKILL_BIT = 1n << 8n;
const PF_EXITING = 0x4;

/** Whether it does nothing more, or nothing for now: it has been stopped by a signal, is being killed, or is gone. */
export function isOutOfAction(pid: number): boolean {
  const status = read(`/proc/${pid}/status`) ?? '';
  const pending = [...status.matchAll(/^S(?:ig|hd)Pnd:\s*([0-9a-f]+)$/gm)];
  if (pending.some(([, mask]) => (BigInt(`0x${mask}`) & SIGKILL_BIT) !== 0n)) return true;
  const [state = 'X', , , , , , flags] = statFields(pid) ?? [];
  return /^[TtZX]$/.test(state) || (Number(flags) & PF_EXITING) !== 0;
}

function threadsOf(pid: number): string[] | undefined {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return undefined;
  }
}

/** Whether it has a handler for the signal of that number. */
export function catchesSignal(pid: number, number: number): boolean | undefined {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return mask === undefined ? undefined : ((BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n) === 1n;
}

/** How many files it holds open: every attached probe is one or two of them. */
export function openFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** Whether what is left of a process group are zombies, which hold nothing: they wait for an init that is slow to reap, or that never does. */
export function onlyZombies(group: number): boolean | undefined {
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  return pids.every(pid => {
    const [state, , itsGroup] = statFields(pid) ?? [];
    return Number(itsGroup) !== group || state === 'Z' || state === 'X';
  });
}

/** Clock ticks of CPU time used so far, user and system. */
export function cpuTicks(pid: number): number | undefined {
  const fields = statFields(pid);
  return fields && Number(fields[11]) + Number(fields[12]);
}

/** The fields of /proc/PID/stat from the state on. */
function statFields(pid: number | string): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces and parentheses itself; fields count from behind it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}
