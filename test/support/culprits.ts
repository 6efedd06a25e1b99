import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Processes that misbehave on purpose, each in one way, gently and on loopback only: what a person on call is to
 * find. Perl, since Debian has it everywhere and a script can choose its process name (`$0`).
 */
const SCRIPTS = {
  /** Asks for a file that is not there, again and again, and opens one that is. */
  seeker: 'for (;;) { open(my $f, "<", "/etc/seeker.yaml"); open($f, "<", "/etc/hostname"); nap(0.02) }',
  syncer:
    'open(my $f, ">", "$ENV{DISK}/journal"); for (;;) { seek($f, 0, 0); syswrite($f, "x" x 100); $f->sync; nap(0.02) }',
  launcher: 'for (;;) { system("/bin/true", "hidden"); nap(0.03) }',
  /** Two processes and a file's lock: lockholder keeps it for 30 ms, lockwaiter waits for it. */
  lockholder: `use Fcntl ":flock";
    my $child = fork; $0 = "lockwaiter" unless $child; $boss = getppid;
    open(my $f, ">", "$ENV{DISK}/lock");
    for (;;) { flock($f, LOCK_EX); nap($child ? 0.03 : 0.001); flock($f, LOCK_UN); nap(0.002) }`,
  /** One salt in ten asks for a hundred times the work. */
  hasher:
    "for (my $i = 0; ; $i++) { crypt(\"secret\", $i % 10 ? '$6$rounds=1000$quick' : '$6$rounds=100000$slow'); nap(0.01) }",
  /** Nobody listens on port 9, the one to discard what comes. */
  dialer: `use Socket;
    for (;;) { socket(my $s, PF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in(9, inet_aton("127.0.0.1"))); close $s; nap(0.03) }`,
  /** Kills a child of its own each time. */
  reaper:
    'for (;;) { my $c = fork; unless ($c) { $0 = "victim"; sleep 60; exit } nap(0.03); kill("TERM", $c); waitpid($c, 0) }',
  spawner: 'for (;;) { my $c = fork; exit unless $c; waitpid($c, 0); nap(0.02) }',
  /** 200 KB more each time, up to 80 MB. */
  hoarder: 'my @all; for (;;) { push @all, "x" x 200_000; @all = () if @all > 400; nap(0.02) }',
  ticker: 'nap(0.0005) for 1 .. 1e9',
  sipper:
    'open(my $f, "<", "/dev/zero"); for (;;) { sysread($f, my $b, 1) for 1 .. 20; sysread($f, my $b, 65536); nap(0.01) }',
  /** Work of 1 ms, sleep of 40. */
  dozer: 'for (;;) { for (my $i = 0; $i < 5000; $i++) {} nap(0.04) }',
  burner: 'for (;;) { my $x = 0; $x += $_ for 1 .. 300_000; nap(0.01) }',
  /** Connects to a listener whose queue is full: its segments are sent again and again. */
  knocker: `use Socket; use Fcntl;
    socket(my $l, PF_INET, SOCK_STREAM, 0); bind($l, pack_sockaddr_in(0, inet_aton("127.0.0.1"))); listen($l, 0);
    my @all; for (;;) {
      socket(my $s, PF_INET, SOCK_STREAM, 0); fcntl($s, F_SETFL, O_NONBLOCK); connect($s, getsockname($l));
      push @all, $s; shift @all if @all > 20; nap(0.2)
    }`,
  deleter:
    'for (;;) { open(my $f, ">", "$ENV{DISK}/gone"); close $f; system("rm", "$ENV{DISK}/gone"); nap(0.05) }',
} as const;
export type Culprit = keyof typeof SCRIPTS;

/** Whoever started it is gone, or five minutes have passed: it ends. */
const PRELUDE =
  'use IO::Handle; alarm 300; our $boss = getppid; sub nap { exit if getppid != $boss; select(undef, undef, undef, $_[0]) }';

/** The library that `crypt` of Perl is in, as it loads it. */
const FIND_LIBCRYPT =
  'open(F, "/proc/self/maps"); while (<F>) { if (m{(/\\S*/libcrypt\\S*)}) { print $1; last } }';
/** One place that a bpftrace with another root sees too, where it has the host's /dev. */
const SHARED = '/dev/shm';

export interface Crowd {
  /** A copy of libcrypt that the hasher uses and nobody else does. */
  libcrypt: string;
  pid(name: Culprit): number;
  stop(): Promise<void>;
}

export function startCulprits(names: readonly Culprit[]): Crowd {
  const disk = mkdtempSync(join(tmpdir(), 'bpftrace-mcp-culprits-'));
  const shared = mkdtempSync(join(existsSync(SHARED) ? SHARED : tmpdir(), 'bpftrace-mcp-culprits-'));
  const found = execFileSync('perl', ['-e', FIND_LIBCRYPT], { encoding: 'utf8' });
  if (found === '') throw new Error('this Perl has no libcrypt of its own to trace');
  const libcrypt = join(shared, 'libcrypt.so.1');
  copyFileSync(found, libcrypt);
  // Readable for everybody, as the policy asks: what mkdtemp makes is not.
  execFileSync('chmod', ['755', shared]);
  const children = new Map<Culprit, ChildProcess>();
  for (const name of names) {
    const child = spawn('perl', ['-e', `${PRELUDE} $0 = "${name}"; ${SCRIPTS[name]}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env.PATH, DISK: disk, LD_LIBRARY_PATH: shared },
      // Its children are in its group and end with it.
      detached: true,
    });
    children.set(name, child);
  }
  return {
    libcrypt,
    pid: name => children.get(name)?.pid ?? 0,
    async stop() {
      for (const child of children.values()) {
        if (child.exitCode !== null || child.pid === undefined) continue;
        const gone = once(child, 'exit');
        process.kill(-child.pid, 'SIGKILL');
        await gone;
      }
      rmSync(disk, { recursive: true, force: true });
      rmSync(shared, { recursive: true, force: true });
    },
  };
}
