import { readdirSync, readFileSync } from 'node:fs';

/** One process as /proc shows it. */
interface ProcessInfo {
  pid: number;
  ppid: number;
  /** One letter: R, S, D, Z, … */
  state: string;
  command: string;
}

function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '?', ppid = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, ppid: Number(ppid), state, command };
  } catch {
    return undefined;
  }
}

/** Every process below `root`, however deep; zombies among them. */
export function descendantsOf(root: number): ProcessInfo[] {
  const all = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => processInfo(Number(name)))
    .filter(info => info !== undefined);
  const found: ProcessInfo[] = [];
  const parents = new Set([root]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const info of all) {
      if (parents.has(info.ppid) && !parents.has(info.pid)) {
        parents.add(info.pid);
        found.push(info);
        grown = true;
      }
    }
  }
  return found;
}

/** The bpftrace processes below `root`. */
export function bpftracesOf(root: number): ProcessInfo[] {
  return descendantsOf(root).filter(info => /\bbpftrace\b.* -f json -$/.test(info.command));
}

/** Running at all: a zombie holds nothing and waits only to be reaped. */
export function isAlive(pid: number): boolean {
  const info = processInfo(pid);
  return info !== undefined && info.state !== 'Z';
}
