#!/usr/bin/perl -T
# Stands, as root, between sudo and one bpftrace, whose owner may neither signal it nor see into it.
#
# It reads one request on standard input, starts bpftrace, relays what the owner asks for, tells what only root can
# see, and ends bpftrace's whole process group when the owner is gone (end of standard input), when its own parent
# dies, or when the lifetime is over. It leaves when nothing of the group is left.
#
# Perl, since perl-base is on every Debian and Ubuntu and most other servers; taint mode, so that nothing that was
# read reaches a system call without having been matched; no shell, no module that is not in perl-base.
#
#   stdout, stderr   bpftrace's own. The reports below go to stderr, each behind the owner's nonce.
#   stdin            lines that end in \n. First the request:
#       bpftrace-mcp 1          magic and version
#       nonce HEX32
#       lifetime MS             from the program to SIGKILL
#       path ABSOLUTE           which bpftrace
#       arg TEXT                any number
#       env BPFTRACE_X=VALUE    any number
#       program BYTES           ends the request; as many bytes follow
#     or, in place of the last,
#       standby MS              ends it too: bpftrace is started and waits so long for `program BYTES`, among the lines
#                               below, and the bytes; then it is killed
#   then, any number of:
#       signal INT|TERM|USR1|KILL   to the process group
#       leaf INT|TERM|USR1          to bpftrace itself, behind any wrapper
#         (but for KILL at a moment when bpftrace is not blocked in writing, which the signal would break for good)
#       watch MS                    look as often and report what has changed; 0: never
#   reports:
#       ready                   before the request is read, with no nonce: sudo has let us through
#       NONCE pid PID           it runs
#       NONCE look FILES TICKS SYSCALL,SYSCALL… STATES CAUGHT   of bpftrace: open files, CPU time, what its threads
#                               are in, the signals that it handles
#       NONCE end CODE SIGNAL   how it ended; signal 0: by itself
#
# The copy in the package pins nothing: who may run it by sudo may run anything. `bpftrace-mcp helper install`
# writes one with the pins filled in, and a sudoers rule for that file without arguments.
use strict;
use warnings;
use POSIX qw(:sys_wait_h :errno_h :fcntl_h :limits_h);

# ---- pins (rewritten by `helper install`) ----
my %PIN = ();
# ---- end of pins ----

my $REQUEST_S    = 10;                           # to send the request in
my $WRITE_S      = 3;                            # for a blocked write to end, before it is broken after all
my $HEADER_BYTES = 65_536;
my $PROGRAM_BYTES = $PIN{program_bytes} || 16_777_216;
my %CALL = (                                     # what perl has no function for; write and writev, to be recognised
    x86_64  => { write => [ 1,  20 ], prctl => 157, prlimit => 302, unshare => 272, mount => 165 },
    aarch64 => { write => [ 64, 66 ], prctl => 167, prlimit => 261, unshare => 97,  mount => 40 },
    riscv64 => { write => [ 64, 66 ], prctl => 167, prlimit => 261, unshare => 97,  mount => 40 },
);
my ($PR_SET_PDEATHSIG, $PR_CAPBSET_DROP, $PR_SET_NO_NEW_PRIVS) = (1, 24, 38);
my ($RLIMIT_FSIZE, $RLIMIT_CORE) = (1, 4);
my $calls = $CALL{ (POSIX::uname())[4] } or fail('this machine is not known to it');

%ENV = (
    PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG => 'C.UTF-8',
    # What it is for stands in spawn-plan.ts.
    GLIBC_TUNABLES => 'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432:glibc.malloc.top_pad=4194304',
);
umask 077;
chdir '/' or fail('no /');
fail('not root') if $> != 0;
fail('it takes no arguments') if @ARGV;

my $stop = 0;
$SIG{$_} = sub { $stop = 1 } for qw(INT TERM HUP QUIT);
$SIG{PIPE} = 'IGNORE';
my $parent = getppid;
syscall($calls->{prctl}, $PR_SET_PDEATHSIG, POSIX::SIGTERM(), 0, 0, 0);
fail('its parent is gone') if getppid != $parent;

syswrite STDERR, "bpftrace-mcp-supervisor 1 ready\n";
my $input = '';                                  # read and not yet used
my $owner_gone = 0;
my $last_look = '';
my %request = read_request();
my $slot = $PIN{slots} ? take_slot($request{standby} ? 'standby' : 'slot') || no_slot() : undef;
my $end = supervise(\%request);
exit $end;

sub fail {
    my ($why) = @_;
    syswrite STDERR, "bpftrace-mcp-supervisor: $why\n";
    POSIX::_exit(125);
}

# Seconds of a clock that nobody sets.
sub now { return (POSIX::times())[0] / POSIX::sysconf(POSIX::_SC_CLK_TCK()) }

sub readable {
    my ($timeout, @fds) = @_;
    my $bits = '';
    vec($bits, $_, 1) = 1 for @fds;
    my $found = select($bits, undef, undef, $timeout);
    return () if !defined $found || $found <= 0;
    return grep { vec($bits, $_, 1) } @fds;
}

# ---- the request ----

sub fill {
    my $got = sysread STDIN, $input, 65_536, length $input;
    $owner_gone = 1 if !$got && !($! == EINTR && !defined $got);
    return;
}

sub next_line {
    my ($until) = @_;
    while ($input !~ /\n/) {
        fail('a line is too long') if length $input > $HEADER_BYTES;
        fail('no request came') if $owner_gone || $stop || now() > $until;
        fill() if readable(0.2, 0);
    }
    $input =~ s/^([^\n]*)\n//;
    return $1;
}

sub read_request {
    my $until = now() + $REQUEST_S;
    my %r = (args => [], env => {});
    # What was read is never repeated: it could be a password that sudo did not ask for.
    fail('not a request') if next_line($until) ne 'bpftrace-mcp 1';
    my $bytes = 0;
    while (1) {
        my $line = next_line($until);
        $bytes += length $line;
        fail('the request is too long') if $bytes > $HEADER_BYTES;
        if    ($line =~ /^nonce ([0-9a-f]{32})$/)              { $r{nonce}    = $1 }
        elsif ($line =~ /^lifetime ([1-9][0-9]{0,9})$/)        { $r{lifetime} = $1 / 1000 }
        elsif ($line =~ m{^path (/[^\0]{1,4000})$})            { $r{path}     = $1 }
        elsif ($line =~ /^arg ([^\0]{0,4096})$/)               { push @{ $r{args} }, $1 }
        elsif ($line =~ /^env (BPFTRACE_[A-Z_]{1,40})=([^\0]{0,4096})$/) { $r{env}{$1} = $2 }
        elsif ($line =~ /^program ([0-9]{1,9})$/)              { $r{bytes} = $1; last }
        elsif ($line =~ /^standby ([1-9][0-9]{0,6})$/)         { $r{standby} = $1 / 1000; last }
        else                                                   { fail('not a request') }
    }
    fail('the request is not whole') if grep { !defined $r{$_} } qw(nonce lifetime path);
    if (!$r{standby}) {
        fail('the program is too long') if $r{bytes} > $PROGRAM_BYTES;
        while (length $input < $r{bytes}) {
            fail('no program came') if $owner_gone || $stop || now() > $until;
            fill() if readable(0.2, 0);
        }
        $r{program} = substr $input, 0, $r{bytes}, '';
    }
    pin(\%r) if %PIN;
    return %r;
}

# ---- pins ----

# What `helper install` allows, and nothing else: the answer to a request that asks for more is a refusal.
sub pin {
    my ($r) = @_;
    fail("this helper runs $PIN{path} only") if $r->{path} ne $PIN{path};
    $r->{path} = $PIN{path};
    my $shape = join ' ', @{ $r->{args} };
    my $probe = qr{[a-zA-Z]{1,20}:[-A-Za-z0-9_.,:*?\[\]+@/]{0,4000}};
    fail('these arguments are not allowed') if "@{$r->{args}}" =~ /[\0\n]/
        || $shape !~ m{^(?:-f json -|--version|--info|-l|-lv? $probe|-lv (?:struct|union|enum) \w{1,200}|(?:$PIN{compile}))$}
        || grep { / / && $_ !~ /^(?:struct|union|enum) \w+$/ } @{ $r->{args} };
    for my $name (keys %{ $r->{env} }) {
        my $most = $PIN{env}{$name};
        fail("$name can't be set here") if !defined $most;
        fail("$name must be a number up to $most here")
            if $r->{env}{$name} !~ /^([0-9]{1,9})$/ || $r->{env}{$name} > $most;
    }
    # The environment wins over a program's config block.
    $r->{env}{$_} //= $PIN{always}{$_} for keys %{ $PIN{always} };
    $r->{lifetime} = $PIN{lifetime_s} if $r->{lifetime} > $PIN{lifetime_s};
    $r->{standby} = $PIN{standby_s} if $r->{standby} && $r->{standby} > $PIN{standby_s};
    return;
}

# As many at once as there are lock files; the lock goes with the process. Those that stand by have files of their own:
# an idle server keeps nobody from running a program.
sub take_slot {
    my ($kind) = @_;
    mkdir $PIN{slot_folder}, 0700;
    my @is = lstat $PIN{slot_folder};
    fail("$PIN{slot_folder} is not root's own folder") if !@is || !-d _ || $is[4] != 0 || ($is[2] & 022);
    for my $n (1 .. $PIN{slots}) {
        sysopen my $lock, "$PIN{slot_folder}/$kind-$n", O_RDWR | O_CREAT | 0400000, 0600 or next;    # O_NOFOLLOW
        return $lock if flock $lock, 2 | 4;
    }
    return undef;
}

sub no_slot { fail("$PIN{slots} run already, which is the limit of this helper") }

# ---- bpftrace ----

sub supervise {
    my ($r) = @_;
    pipe my $program_out, my $program_in or fail("no pipe: $!");
    pipe my $alive, my $alive_child or fail("no pipe: $!");    # ends when the child has
    my $me = $$;
    my $pid = fork;
    fail("can't fork: $!") if !defined $pid;
    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP QUIT PIPE);
        setpgrp 0, 0;
        syscall($calls->{prctl}, $PR_SET_PDEATHSIG, POSIX::SIGKILL(), 0, 0, 0);
        POSIX::_exit(125) if getppid != $me;
        POSIX::dup2(fileno $program_out, 0);
        close $_ for $program_in, $program_out, $alive;
        fcntl $alive_child, F_SETFD, 0;
        limit($RLIMIT_CORE, 0);                                   # no core dump of what root saw
        confine() if %PIN;
        %ENV = (%ENV, %{ $r->{env} });
        { no warnings; exec { $r->{path} } $r->{path}, @{ $r->{args} } }
        fail("$r->{path} can't be run: $!");
    }
    close $program_out;
    close $alive_child;
    setpgrp $pid, $pid;
    my $flags = fcntl $program_in, F_GETFL, 0;
    fcntl $program_in, F_SETFL, $flags | O_NONBLOCK;
    report($r, "pid $pid");

    my $deadline = now() + ($r->{standby} || $r->{lifetime});
    my $awaited;                                 # bytes of the program that bpftrace stands by for, once they are announced
    my $watch_s = 0;
    my $next_look = 0;
    my $killed = 0;
    my @signals;                                 # not sent yet: [name, whom, until]
    my $status;
    while (1) {
        if (waitpid($pid, WNOHANG) == $pid) { $status = $?; last }
        my $now = now();
        while (!defined $awaited && $input =~ s/^([^\n]{0,64})\n//) {
            my $line = $1;
            if    ($line eq 'signal KILL')                { kill 'KILL', -$pid }
            elsif ($line =~ /^(signal|leaf) (INT|TERM|USR1)$/) { push @signals, [ $2, $1, $now + $WRITE_S ] }
            elsif ($line =~ /^watch ([0-9]{1,5})$/)       { $watch_s = $1 / 1000 }
            elsif (!defined $r->{program} && $line =~ /^program ([0-9]{1,9})$/ && $1 <= $PROGRAM_BYTES) { $awaited = $1 }
            else                                          { $stop = 1 }    # whoever speaks like this is not our owner
        }
        if (defined $awaited && length $input >= $awaited) {
            $r->{program} = substr $input, 0, $awaited, '';
            undef $awaited;
            $deadline = $now + $r->{lifetime};
            if ($PIN{slots} && !($slot = take_slot('slot'))) {
                kill 'KILL', -$pid;
                clear_group($pid);
                no_slot();
            }
            next;
        }
        $stop = 1 if !defined $awaited && length $input > 64;
        while (@signals && ($now > $signals[0][2] || !is_writing($pid))) {
            my ($name, $whom) = @{ shift @signals };
            kill $name, $whom eq 'leaf' ? leaf($pid) : -$pid;
            $last_look = '';                     # what it does from here on is news, even if it looks the same
        }
        if (($owner_gone || $stop || $now > $deadline) && !$killed) {
            kill 'KILL', -$pid;
            $killed = 1;
        }
        if (defined $program_in && defined $r->{program}) {
            my $wrote = length $r->{program} ? syswrite $program_in, $r->{program} : 0;
            substr $r->{program}, 0, $wrote, '' if $wrote;
            if (!length $r->{program} || (!defined $wrote && $! != EAGAIN && $! != EINTR)) {
                close $program_in;
                undef $program_in;
            }
        }
        if ($watch_s > 0 && $now >= $next_look && !@signals) {
            look($r, $pid);
            $next_look = $now + $watch_s;
        }
        my $pause = @signals ? 0.001 : defined $program_in && defined $r->{program} ? 0.005 : $watch_s > 0 && $watch_s < 0.2 ? $watch_s : 0.2;
        my @ready = readable($pause, fileno $alive, $owner_gone ? () : 0);
        fill() if grep { $_ == 0 } @ready;
        # Its end of that pipe is closed: it is gone in a moment, or has closed what it did not open.
        select undef, undef, undef, 0.002 if grep { $_ == fileno $alive } @ready;
    }
    clear_group($pid);
    my ($code, $signal) = ($status >> 8, $status & 127);
    report($r, "end $code $signal");
    return $signal ? 128 + $signal : $code;
}

sub limit {
    my ($resource, $most) = @_;
    my $both = pack 'QQ', $most, $most;
    return syscall($calls->{prlimit}, 0, $resource, $both, 0) == 0;
}

# Whatever it left behind in its group is killed; what is then a zombie waits for an init to reap it.
sub clear_group {
    my ($pid) = @_;
    for (1 .. 200) {
        return if !kill 'KILL', -$pid;
        return if !grep { ((stat_fields($_))[2] // '') eq $pid } all_pids();
        select undef, undef, undef, 0.01;
    }
    return;
}

# ---- what only root can see ----

sub report {
    my ($r, $text) = @_;
    syswrite STDERR, "$r->{nonce} $text\n";
    return;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<', $path or return '';
    sysread $file, my $text, 4096;
    return $text // '';
}

sub all_pids {
    opendir my $proc, '/proc' or return ();
    return map { /^([0-9]+)$/ ? $1 : () } readdir $proc;
}

# The fields of /proc/PID/stat from the state on, if it is no zombie.
sub stat_fields {
    my ($pid) = @_;
    my ($fields) = slurp("/proc/$pid/stat") =~ /.*\) (.*)/s or return ();
    my @fields = split / /, $fields;
    return $fields[0] =~ /[ZX]/ ? () : @fields;
}

# The bpftrace at the end of a chain of wrappers.
sub leaf {
    my ($pid) = @_;
    for (1 .. 8) {
        slurp("/proc/$pid/task/$pid/children") =~ /^([0-9]+)/ or last;
        $pid = $1;
    }
    return $pid;
}

# The threads of a process, with the number of the system call each is in.
sub syscalls_of {
    my ($pid) = @_;
    opendir my $tasks, "/proc/$pid/task" or return ();
    my @threads = sort { $a <=> $b } map { /^([0-9]+)$/ ? $1 : () } readdir $tasks;
    return map { slurp("/proc/$pid/task/$_/syscall") =~ /^(running|-?[0-9]+)/ ? [ $_, $1 ] : [ $_, 'unknown' ] } @threads;
}

sub is_writing {
    my ($pid) = @_;
    my %write = map { $_ => 1 } @{ $calls->{write} };
    return scalar grep { $write{ $_->[1] } } syscalls_of(leaf($pid));
}

sub look {
    my ($r, $pid) = @_;
    my $leaf = leaf($pid);
    my @fields = stat_fields($leaf) or return;
    opendir my $fds, "/proc/$leaf/fd" or return;
    my $files = grep { /^[0-9]+$/ } readdir $fds;
    my @threads = syscalls_of($leaf) or return;
    my $states = join '', map { (stat_fields("$leaf/task/$_->[0]"))[0] // 'Z' } @threads;
    my ($caught) = slurp("/proc/$leaf/status") =~ /^SigCgt:\s*([0-9a-f]+)/m;
    my $text = sprintf 'look %d %d %s %s %s', $files, $fields[11] + $fields[12], join(',', map { $_->[1] } @threads), $states,
        $caught // 0;
    report($r, $text) if $text ne $last_look;
    $last_look = $text;
    return;
}

# ---- confinement, of the installed copy only ----

# The kernel holds bpftrace to reading what is listed, and to changing nothing: no parser of the language is needed
# for that, and no way around one helps. Capabilities that tracing does not need are given up for good.
sub confine {
    limit($RLIMIT_FSIZE, $PIN{temp_bytes}) or fail("no limit of file size: $!");
    private_temp($_) for @{ $PIN{temp} };
    syscall($calls->{prctl}, $PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 or fail("no_new_privs: $!");
    for my $capability (0 .. 63) {
        next if $PIN{capabilities}{$capability};
        syscall($calls->{prctl}, $PR_CAPBSET_DROP, $capability, 0, 0, 0) == 0 or $! == EINVAL
            or fail("capability $capability: $!");
    }
    landlock() if $PIN{landlock};
    return;
}

# 0.27 writes the program to a file in /tmp; nobody else's /tmp is meant.
sub private_temp {
    my ($folder) = @_;
    my ($private, $flags) = (1 << 14 | 1 << 18, 2 | 4 | 8);    # MS_REC|MS_PRIVATE; nosuid, nodev, noexec
    my ($none, $root, $type, $options) = ('none', '/', 'tmpfs', "mode=700,size=$PIN{temp_bytes}");
    syscall($calls->{unshare}, 0x20000) == 0 or fail("no mounts of its own: $!");
    syscall($calls->{mount}, $none, $root, $none, $private, 0) == 0 or fail("no private mounts: $!");
    syscall($calls->{mount}, $type, $folder, $type, $flags, $options) == 0 or fail("no private $folder: $!");
    return;
}

sub landlock {
    my ($CREATE, $ADD, $RESTRICT) = (444, 445, 446);    # the same on every machine
    my $abi = syscall($CREATE, 0, 0, 1);
    fail("this kernel has no Landlock ($!), which this helper was installed to rely on") if $abi < 1;
    my $bits = $abi >= 5 ? 16 : $abi >= 3 ? 15 : $abi >= 2 ? 14 : 13;
    my $attr = pack 'Q', 2**$bits - 1;
    $attr .= pack 'Q', 3 if $abi >= 4;                  # no TCP
    $attr .= pack 'Q', 3 if $abi >= 6;                  # no signals and no abstract sockets to the outside
    my $ruleset = syscall($CREATE, $attr, length $attr, 0);
    fail("Landlock: $!") if $ruleset < 0;
    my %rights = (read => 1 << 2 | 1 << 3, run => 1 << 0 | 1 << 2 | 1 << 3, write => 1 << 1 | 1 << 2 | ($bits > 15 ? 1 << 15 : 0), temp => 2**$bits - 1);
    for my $kind (qw(read run write temp)) {
        for my $path (@{ $PIN{$kind} }) {
            my $fd = POSIX::open($path, 010000000 | 02000000) // next;    # O_PATH | O_CLOEXEC
            my $allowed = $rights{$kind};
            $allowed &= ~(1 << 3) if !-d $path;
            syscall($ADD, $ruleset, 1, my $rule = pack('Ql', $allowed, $fd), 0) == 0 or fail("Landlock, $path: $!");
            POSIX::close($fd);
        }
    }
    syscall($RESTRICT, $ruleset, 0) == 0 or fail("Landlock: $!");
    POSIX::close($ruleset);
    return;
}
