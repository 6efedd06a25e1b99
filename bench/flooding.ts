import { readFileSync } from 'node:fs';
import { startWriter } from '../test/support/writer.js';

/** A process that writes without end, and a program that prints a line for each of its writes. */
export function startFlood(text = 'of many that come one after another'): {
  program: string;
  /** So many events there have been. */
  writes(): number;
  stop(): void;
} {
  const writer = startWriter();
  return {
    program: `tracepoint:syscalls:sys_enter_write /pid == ${writer.pid}/ { @n++; printf("line %d ${text}\\n", @n); }`,
    writes: () => Number(/^syscw: (\d+)/m.exec(readFileSync(`/proc/${writer.pid}/io`, 'utf8'))?.[1]),
    stop: () => void writer.kill('SIGKILL'),
  };
}
