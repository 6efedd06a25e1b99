import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that writes without end, and a program that prints a line for each of its writes. */
export function startFlood(text = 'of many that come one after another'): {
  program: string;
  /** So many events there have been. */
  writes(): number;
  stop(): void;
} {
  const writer = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
  return {
    program: `tracepoint:syscalls:sys_enter_write /pid == ${writer.pid}/ { @n++; printf("line %d ${text}\\n", @n); }`,
    writes: () => Number(/^syscw: (\d+)/m.exec(readFileSync(`/proc/${writer.pid}/io`, 'utf8'))?.[1]),
    stop: () => void writer.kill('SIGKILL'),
  };
}
