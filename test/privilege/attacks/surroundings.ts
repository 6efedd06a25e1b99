import { type Attack, ONLY_TRACED } from './attack.js';

const NEVER_BEGAN = /./;

/** Against the process: what it inherits, and what a user may do to it from outside. */
export const SURROUNDINGS: readonly Attack[] = [
  { name: 'no standard input', command: '$SUDO $HELPER <&-', outcome: /no request came/ },
  { name: 'no standard output', command: '$SUDO $HELPER >&-', outcome: /end \d+ \d+|supervisor/ },
  { name: 'no standard error', command: '$SUDO $HELPER 2>&-; echo "code $?"', outcome: /code \d+/ },
  { name: 'none of the three', command: '$SUDO $HELPER <&- >&- 2>&-; echo "code $?"', outcome: /code \d+/ },
  { name: 'a full disk for its output', command: '$SUDO $HELPER >/dev/full', outcome: /end \d+ \d+/ },
  { name: 'its output closed early', command: '$SUDO $HELPER | true; echo done', outcome: /done/ },
  { name: 'zeros for a request', command: '$SUDO $HELPER </dev/zero', outcome: /a line is too long/ },
  { name: 'a folder for a request', command: '$SUDO $HELPER </', outcome: /no request came/ },
  {
    name: 'other descriptors open',
    command: '$SUDO $HELPER 5</etc/passwd 9>$MINE/nine',
    outcome: ONLY_TRACED,
  },
  { name: 'no descriptors to have', command: 'ulimit -n 4; $SUDO $HELPER', outcome: NEVER_BEGAN },
  { name: 'no file size', command: 'ulimit -f 0; $SUDO $HELPER', outcome: NEVER_BEGAN },
  { name: 'no CPU time', command: 'ulimit -t 1; $SUDO $HELPER', outcome: NEVER_BEGAN },
  { name: 'no address space', command: 'ulimit -v 40000; $SUDO $HELPER', outcome: NEVER_BEGAN },
  { name: 'no stack', command: 'ulimit -s 64; $SUDO $HELPER', outcome: NEVER_BEGAN },
  {
    name: 'core dumps wanted',
    command: 'ulimit -c unlimited 2>/dev/null; cd $MINE; $SUDO $HELPER; ls',
    outcome: ONLY_TRACED,
  },
  { name: 'a umask of nothing', command: 'umask 0; $SUDO $HELPER', outcome: ONLY_TRACED },
  { name: 'a umask of everything', command: 'umask 777; $SUDO $HELPER', outcome: ONLY_TRACED },
  {
    name: 'a working directory that is gone',
    command: 'mkdir $MINE/gone; cd $MINE/gone; rmdir $MINE/gone; $SUDO $HELPER',
    outcome: ONLY_TRACED,
  },
  {
    name: 'signals ignored',
    command: "trap '' INT TERM HUP QUIT CHLD PIPE; $SUDO $HELPER",
    outcome: ONLY_TRACED,
  },
  { name: 'lowest priority', command: 'nice -n 19 $SUDO $HELPER', outcome: ONLY_TRACED },
  { name: 'another personality', command: 'setarch -R $SUDO $HELPER', outcome: ONLY_TRACED },
  {
    name: 'no new privileges',
    command: 'setpriv --no-new-privs $SUDO $HELPER',
    outcome: /no new privileges|setuid/i,
  },
  { name: 'a user namespace of its own', command: 'unshare -Ur $SUDO $HELPER; echo', outcome: NEVER_BEGAN },
  {
    name: 'traced by strace or perl',
    command: 'perl -e \'syscall(101, 0, 0, 0, 0); exec "sudo", "-n", $ENV{HELPER}\'',
    outcome: /setuid|effective uid|"traced|must be owned/,
  },
];

/** What the user does to the processes of a running helper; `$P` is each of them in turn. All must fail. */
export const ON_PROCESSES: readonly string[] = [
  'kill -9 $P',
  'kill -STOP $P',
  'kill -INT $P',
  'kill -USR1 $P',
  'kill -9 -$P',
  'cat /proc/$P/environ',
  'cat /proc/$P/maps',
  'cat /proc/$P/mem',
  'ls /proc/$P/fd/',
  'cat /proc/$P/fd/0',
  'echo x > /proc/$P/mem',
  'echo 1000 > /proc/$P/oom_score_adj',
  'echo 0 > /proc/$P/coredump_filter',
  'ls /proc/$P/root/etc',
  'renice -n 19 -p $P',
  'prlimit --pid $P --nofile=1:1',
  'taskset -p 1 $P',
  "perl -e 'exit(syscall(101, 16, $ENV{P}, 0, 0) == 0 ? 0 : 1)'",
  'nsenter -t $P -m id',
];
