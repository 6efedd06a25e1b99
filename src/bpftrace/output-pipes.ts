import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { findExecutable } from '../privilege/executable.js';

/**
 * Makes pipes for what bpftrace prints.
 *
 * What Node gives a child as standard output is a pair of sockets. They hold 278 lines of 111 bytes, where a pipe of
 * 1 MiB holds 9,216, and each line costs bpftrace half as much again: a thread that gets no CPU for a millisecond of a
 * flood would have bpftrace wait, and the kernel lose events. Node has neither pipe(2) nor fcntl(2). So a perl, which
 * is on most systems and does nothing else, makes pipes and waits while we open them by way of /proc; then it ends.
 * Without perl the sockets have to do.
 */

/** What the kernel gives to anybody, unless /proc/sys/fs/pipe-max-size was changed. */
const WANTED_BYTES = 1_048_576;
const BOUND_MS = 2000;

const F_SETPIPE_SZ = 1031;
const SCRIPT = `
my @ends;
for (1 .. $ARGV[0]) {
  pipe my $out, my $in or last;
  my $bytes = 0 + $ARGV[1];  # of a string, fcntl would pass the address
  $bytes /= 2 while $bytes > 65536 && !fcntl $in, ${F_SETPIPE_SZ}, $bytes;
  push @ends, $out, $in;
  syswrite STDOUT, fileno($out) . " $bytes\\n";
}
syswrite STDOUT, "all\\n";
sysread STDIN, my $end, 1;
`;

export interface MadePipe {
  /** A read end, as a file descriptor. */
  keeper: number;
  capacityBytes: number;
}

/** @throws Error what stands in the way */
export async function makePipes(count: number): Promise<MadePipe[]> {
  const perl = findExecutable('perl', {});
  if (!perl) throw new Error('there is no perl');
  const child = spawn(perl, ['-e', SCRIPT, String(count), String(WANTED_BYTES)], {
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const pipes: MadePipe[] = [];
  try {
    for (const line of await listOf(child)) {
      const [fd, bytes] = line.split(' ');
      const keeper = openSync(`/proc/${child.pid}/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
      pipes.push({ keeper, capacityBytes: Number(bytes) });
    }
    if (pipes.length === 0) throw new Error('perl could not make one');
    return pipes;
  } catch (error) {
    for (const { keeper } of pipes) closeSync(keeper);
    throw error;
  } finally {
    child.stdin.on('error', () => {});
    child.stdin.end();
  }
}

/** The lines before the last, which says that there are no more. */
function listOf(child: ChildProcess): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`perl did not answer in ${BOUND_MS} ms`));
    }, BOUND_MS);
    child.stdout?.on('data', chunk => {
      said += chunk;
      if (said.endsWith('all\n')) resolve(said.split('\n').slice(0, -2));
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      reject(new Error('perl ended before it had made them'));
    });
  });
}
