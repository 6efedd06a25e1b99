import { readdirSync, readFileSync } from 'node:fs';

/**
 * MCPtrace ends a program by killing sudo, which leaves bpftrace behind. Its programs carry a mark here, so that ours
 * to end are known from everybody else's.
 */
const MARK = `/* bench ${process.pid} */`;

export function marked(program: string): string {
  return `${program} ${MARK}`;
}

/** Ends what is left of marked programs. @returns how many there were */
export function endLeftovers(): number {
  const left = readdirSync('/proc').filter(name => /^\d+$/.test(name) && commandOf(name).includes(MARK));
  for (const pid of left) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has gone meanwhile.
    }
  }
  return left.length;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
