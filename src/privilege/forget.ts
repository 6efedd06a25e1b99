import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

/**
 * Takes a variable out of this process's environment for good. Unsetting it is not enough: /proc/PID/environ
 * shows the memory in which the kernel handed the environment over, so that is overwritten too, through
 * /proc/self/mem.
 *
 * Whoever started this process still has the variable in its own environment.
 */
export function forgetVariable(name: string): void {
  delete process.env[name];
  try {
    overwriteInitial(name);
  } catch {
    // A kernel without /proc/self/mem, a sandbox: unset is what remains.
  }
}

/**
 * Keeps this process's memory, of whatever kind, out of core dumps from here on. Unlike the limit of a core file's
 * size this also holds where the kernel pipes core dumps to a program. Children inherit it.
 */
export function dumpNoMemory(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // A kernel without core dumps.
  }
}

/** Fields of /proc/self/stat from the state on: where the initial environment begins and ends (proc(5): 50, 51). */
const ENV_START_FIELD = 47;

function overwriteInitial(name: string): void {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const start = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[ENV_START_FIELD]);
  const initial = readFileSync('/proc/self/environ');
  const memory = openSync('/proc/self/mem', 'r+');
  try {
    for (let at = 0; at < initial.length; ) {
      const end = initial.indexOf(0, at);
      const stop = end < 0 ? initial.length : end;
      const prefix = Buffer.from(`${name}=`);
      if (initial.subarray(at, at + prefix.length).equals(prefix)) {
        const value = at + prefix.length;
        writeSync(memory, Buffer.alloc(stop - value), 0, stop - value, start + value);
      }
      at = stop + 1;
    }
  } finally {
    closeSync(memory);
  }
}
