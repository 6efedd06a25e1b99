import { type ChildProcess, spawn } from 'node:child_process';

const WRITE_FOR_EVER = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1'];

/**
 * A process that writes without end: a source of events as fast as a processor makes them.
 * @param processor the only one it runs on: bpftrace reads the buffers of several in turn, so that lines of one that
 *   moves between them come out of order
 */
export function startWriter(processor?: number): ChildProcess {
  const [command = '', ...args] =
    processor === undefined ? WRITE_FOR_EVER : ['taskset', '-c', `${processor}`, ...WRITE_FOR_EVER];
  return spawn(command, args, { stdio: 'ignore' });
}
