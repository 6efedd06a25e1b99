import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cell, WORD } from '../contract/cell.js';

const BOUND_MS = 5000;

/**
 * Ends the child of a worker thread that has died. The kernel's parent-death signal has usually done it by
 * then. The thread can no longer reap it, and nobody else in this process may, so a dead child stays in the
 * process table as a zombie, which holds nothing, until the server ends.
 */
export async function endOrphan(cell: Cell): Promise<void> {
  const pid = cell.load(WORD.PID);
  if (pid === 0) return;
  const begun = performance.now();
  while (isAlive(pid) && performance.now() - begun < BOUND_MS) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      return; // Gone, or not ours to signal: its own deadline ends it.
    }
    await sleep(10);
  }
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}
