import type { Question } from './question.js';

/**
 * The same text for every bpftrace (`args->` is understood by all), and none is narrowed to its culprit, but where
 * stacks are asked for: at first an agent does not know it. Sums, counts and histograms as people use them.
 */
export const TWELVE: readonly Question[] = [
  {
    ask: 'who fails to open what',
    culprits: ['seeker'],
    program: () => `tracepoint:syscalls:sys_enter_openat { @name[tid] = args->filename; }
tracepoint:syscalls:sys_exit_openat /@name[tid]/ {
  if (args->ret < 0) { @failed[comm, pid, str(@name[tid]), -args->ret] = count(); }
  delete(@name[tid]);
}
END { clear(@name); }`,
    facts: [/seeker, \d+, \/etc\/seeker\.yaml, 2\]?: \d+/],
  },
  {
    ask: 'who forces the disk',
    culprits: ['syncer'],
    program:
      () => `tracepoint:syscalls:sys_enter_fsync, tracepoint:syscalls:sys_enter_fdatasync { @since[tid] = nsecs; }
tracepoint:syscalls:sys_exit_fsync, tracepoint:syscalls:sys_exit_fdatasync /@since[tid]/ {
  @us[comm, pid] = hist((nsecs - @since[tid]) / 1000);
  delete(@since[tid]);
}
END { clear(@since); }`,
    facts: [/syncer, \d+\]?:/],
  },
  {
    ask: 'what runs too shortly to see',
    culprits: ['launcher'],
    program: () => `tracepoint:sched:sched_process_exec { @born[pid] = nsecs; }
tracepoint:sched:sched_process_exit /@born[pid] && pid == tid/ {
  @ms[comm] = hist((nsecs - @born[pid]) / 1000000);
  delete(@born[pid]);
}
END { clear(@born); }`,
    facts: [/\btrue\]?:/],
  },
  {
    ask: 'who waits for whom',
    culprits: ['lockholder'],
    program: () => `tracepoint:syscalls:sys_enter_flock { @since[tid] = nsecs; }
tracepoint:sched:sched_waking /@since[args->pid]/ { @woken_by[args->comm, comm] = count(); }
tracepoint:syscalls:sys_exit_flock /@since[tid]/ {
  @us[comm, pid] = hist((nsecs - @since[tid]) / 1000);
  delete(@since[tid]);
}
END { clear(@since); }`,
    facts: [/lockwaiter, lockholder\]?: \d+/, /lockwaiter, \d+\]?:/],
  },
  {
    ask: 'which argument makes a function slow',
    culprits: ['hasher'],
    program: ({ libcrypt }) => `uprobe:${libcrypt}:crypt_r { @start[tid] = nsecs; @setting[tid] = arg1; }
uretprobe:${libcrypt}:crypt_r /@start[tid]/ {
  @us[str(@setting[tid])] = hist((nsecs - @start[tid]) / 1000);
  delete(@start[tid]); delete(@setting[tid]);
}
END { clear(@start); clear(@setting); }`,
    facts: [/\$6\$rounds=100000\$slow\]?:/, /\$6\$rounds=1000\$quick\]?:/],
  },
  {
    ask: 'who connects where in vain',
    culprits: ['dialer'],
    program: () => `tracepoint:sock:inet_sock_set_state /args->oldstate == 2 && args->newstate == 7/ {
  if (args->family == 2) { @failed_to[ntop(args->daddr), args->dport] = count(); }
  else { @failed_to[ntop(args->daddr_v6), args->dport] = count(); }
}
tracepoint:syscalls:sys_exit_connect /args->ret < 0/ { @errno[comm, pid, -args->ret] = count(); }`,
    facts: [/dialer, \d+, 111\]?: \d+/, /127\.0\.0\.1, 9\]?: \d+/],
  },
  {
    ask: 'who kills whom with a signal',
    culprits: ['reaper'],
    program: () => `tracepoint:signal:signal_generate /args->sig != 17/ {
  printf("%s %d sent %d to %s %d\\n", comm, pid, args->sig, args->comm, args->pid);
}`,
    facts: [/reaper \d+ sent 15 to (?:victim|reaper) \d+/],
  },
  {
    ask: 'who forks without end',
    culprits: ['spawner'],
    program: () => 'tracepoint:sched:sched_process_fork { @forks[comm, pid] = count(); }',
    facts: [/spawner, \d+\]?: \d+/],
  },
  {
    ask: 'who takes memory',
    culprits: ['hoarder'],
    program: () => `tracepoint:exceptions:page_fault_user { @faults[comm, pid] = count(); }
tracepoint:syscalls:sys_enter_mmap { @mapped[comm, pid] = hist(args->len); }
tracepoint:syscalls:sys_enter_brk { @brk[comm, pid] = count(); }`,
    facts: [/hoarder, \d+\]?: \d+/],
  },
  {
    ask: 'who wakes the processor all the time',
    culprits: ['ticker'],
    program: () =>
      'tracepoint:timer:hrtimer_start { @armed[comm, ksym(args->function)] = count(); @timers = count(); }',
    facts: [/ticker, hrtimer_wakeup\]?: \d+/, /@timers: \d+/],
  },
  {
    ask: 'whose reads are tiny',
    culprits: ['sipper'],
    program: () => 'tracepoint:syscalls:sys_exit_read /args->ret > 0/ { @bytes[comm] = hist(args->ret); }',
    facts: [/sipper\]?:/],
  },
  {
    ask: 'who throttles itself by sleeping, and where',
    culprits: ['dozer'],
    program: () => `tracepoint:sched:sched_switch { @left[args->prev_pid] = nsecs; }
tracepoint:sched:sched_switch /args->prev_state == 1 && comm == "dozer"/ { @sleeps_in[kstack] = count(); }
tracepoint:sched:sched_switch /args->next_comm == "dozer" && @left[args->next_pid]/ {
  @off_ms[args->next_comm, args->next_pid] = hist((nsecs - @left[args->next_pid]) / 1000000);
}
END { clear(@left); }`,
    facts: [/dozer, \d+\]?:/, /schedule_hrtimeout_range|hrtimer_nanosleep/],
  },
];
