import { spawn } from 'node:child_process';

/** A process that writes without end, and a program that prints a line for each of its writes. */
export function startFlood(): { program: string; stop(): void } {
  const writer = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
  return {
    program: `tracepoint:syscalls:sys_enter_write /pid == ${writer.pid}/ { @n++; printf("line %d of many that come one after another\\n", @n); }`,
    stop: () => void writer.kill('SIGKILL'),
  };
}
