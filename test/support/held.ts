import { readdirSync, readFileSync } from 'node:fs';
import { descendantsOf } from './processes.js';

/** What a process holds of the system. */
export interface Held {
  children: number;
  /** Dead children, however deep, that nobody has reaped. */
  zombies: number;
  threads: number;
  descriptors: number;
}

export function heldBy(pid: number): Held {
  const below = descendantsOf(pid);
  const zombies = below.filter(({ state }) => state === 'Z').length;
  return {
    children: below.length - zombies,
    zombies,
    threads: statusOf(pid, 'Threads'),
    descriptors: descriptorsOf(pid),
  };
}

export function residentMb(pid: number): number {
  return Math.round(statusOf(pid, 'VmRSS') / 1024);
}

/** 0 when the process is gone. */
function statusOf(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
