import { readFileSync } from 'node:fs';

/** Of statm. */
const PAGE_BYTES = 4096;
const MIB = 1024 * 1024;

/**
 * MiB that a process and those below it hold for themselves: resident, without what comes from files, which all
 * bpftraces share and the kernel can drop. Anybody may read it, also of root's processes behind sudo. 0 when it is gone.
 */
export function ownMib(pid: number): number {
  let bytes = 0;
  const pids = [pid];
  for (let at = 0; at < pids.length; at++) {
    const one = pids[at];
    const [, resident = 0, shared = 0] = text(`/proc/${one}/statm`).split(' ').map(Number);
    bytes += (resident - shared) * PAGE_BYTES;
    pids.push(...text(`/proc/${one}/task/${one}/children`).split(' ').filter(Boolean).map(Number));
  }
  return bytes / MIB;
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
