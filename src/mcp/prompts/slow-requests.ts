import { Refusal } from '../../contract/errors.js';
import { filter, functionOf, isProcess, PROCESS, pathOf } from './arguments.js';
import { definePrompt, type Method, type Step } from './prompt.js';

export const slowRequests = definePrompt({
  name: 'slow_requests',
  title: 'Slow requests',
  description:
    'Where a process waits, or, with binary and function, which argument makes that function slow and what it does meanwhile.',
  arguments: [
    PROCESS,
    { name: 'binary', description: 'absolute path of a program or library; together with function' },
    { name: 'function', description: 'a function of binary whose duration to measure' },
  ],
  method({ process, binary, function: name }, { args }): Method {
    const one = isProcess(process);
    if ((binary === undefined) !== (name === undefined)) {
      const [given, missing] = binary ? ['binary', 'function'] : ['function', 'binary'];
      throw new Refusal('invalid_argument', `${given} was given without ${missing}`, 'pass both, or neither');
    }
    const inside = binary && name ? `${pathOf('binary', binary)}:${functionOf(name)}` : undefined;
    return {
      goal: `Requests${process ? ` of ${process}` : ''} are slow. Find out what they wait for, or what makes the slow ones differ from the fast ones.`,
      steps: inside ? [byArgument(inside, one), meanwhile(inside, one, args)] : waits(one, args),
      stop: inside
        ? 'the values of one argument part the slow calls from the fast ones, or one system call takes the time: name it with its numbers.'
        : 'most of the waiting has one place. When a function of the program is suspected, ask this prompt again with binary and function; list_probes uprobe:/path/of/binary:* lists them.',
    };
  },
});

function byArgument(inside: string, one: string | undefined): Step {
  return {
    ask: 'Which argument makes it slow?',
    choices: [
      {
        needs: [`uprobe:${inside}`],
        program: `uprobe:${inside}${filter(one)} {
  @start[tid] = nsecs; @a0[tid] = arg0; @a1[tid] = arg1; @a2[tid] = arg2;
}
uretprobe:${inside} /@start[tid]/ {
  $us = (nsecs - @start[tid]) / 1000;
  @us = hist($us);
  @by_arg0[@a0[tid]] = stats($us);
  @by_arg1[@a1[tid]] = stats($us);
  @by_arg2[@a2[tid]] = stats($us);
  delete(@start[tid]); delete(@a0[tid]); delete(@a1[tid]); delete(@a2[tid]);
}
END { clear(@start); clear(@a0); clear(@a1); clear(@a2); }`,
      },
    ],
    seconds: 5,
    read: 'Two heaps in @us are two kinds of calls. Of the three arguments, the one whose values have clearly different averages is the cause. Huge numbers are addresses: for a text write str(arg0) instead of arg0 where it is stored, for a number that varies a lot arg0 / 1000.',
  };
}

function meanwhile(inside: string, one: string | undefined, args: string): Step {
  return {
    ask: 'What does it do meanwhile?',
    choices: [
      {
        needs: [`uprobe:${inside}`, 'tracepoint:raw_syscalls:sys_enter', 'tracepoint:raw_syscalls:sys_exit'],
        program: `uprobe:${inside}${filter(one)} { @inside[tid] = nsecs; }
uretprobe:${inside} /@inside[tid]/ { @total_us = stats((nsecs - @inside[tid]) / 1000); delete(@inside[tid]); }
tracepoint:raw_syscalls:sys_enter /@inside[tid]/ { @since[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@since[tid]/ {
  @syscall_us[${args}id] = stats((nsecs - @since[tid]) / 1000);
  delete(@since[tid]);
}
END { clear(@inside); clear(@since); }`,
      },
    ],
    seconds: 5,
    read: 'Compare the totals: what is not in @syscall_us is its own computing (the prompt high_cpu shows where). The key is the number of the system call (x86-64: 202 futex is a lock, 230 clock_nanosleep sleep, 7 poll, 45 recvfrom, 74 fsync).',
  };
}

function waits(one: string | undefined, args: string): Step[] {
  // FUTEX_WAIT and FUTEX_WAIT_BITSET, FUTEX_WAKE and FUTEX_WAKE_BITSET; 127 takes the flags off.
  const futex = (plain: number, bitset: number): string =>
    `((${args}op & 127) == ${plain} || (${args}op & 127) == ${bitset})`;
  return [
    {
      ask: 'Which system calls take the time?',
      choices: [
        {
          needs: ['tracepoint:raw_syscalls:sys_enter', 'tracepoint:raw_syscalls:sys_exit'],
          program: `tracepoint:raw_syscalls:sys_enter${filter(one)} { @since[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@since[tid]/ {
  @us[comm, ${args}id] = stats((nsecs - @since[tid]) / 1000);
  delete(@since[tid]);
}
END { clear(@since); }`,
        },
      ],
      seconds: 5,
      read: 'The key is the number of the system call (x86-64: 0 read, 7 poll, 74 fsync, 202 futex, 230 clock_nanosleep, 232 epoll_wait, 281 epoll_pwait). A server that idles in epoll_wait is healthy; futex is a lock (step 3), read and recvfrom wait for a peer, fsync for the disk (prompt slow_disk).',
    },
    {
      ask: 'How long is it off the processor?',
      choices: [
        {
          needs: ['tracepoint:sched:sched_switch'],
          inAnyProcess: true,
          program: `tracepoint:sched:sched_switch${filter(one ?? 'pid != 0')} {
  @left[tid] = nsecs; @how[tid] = ${args}prev_state;
}
tracepoint:sched:sched_switch /@left[${args}next_pid]/ {
  @off_us[${args}next_comm, @how[${args}next_pid]] = hist((nsecs - @left[${args}next_pid]) / 1000);
  delete(@left[${args}next_pid]); delete(@how[${args}next_pid]);
}
END { clear(@left); clear(@how); }`,
        },
      ],
      seconds: 5,
      read: 'The second part of the key is why it left: 0 or 256 it was ready to run and had to give way (too few processors: prompt high_cpu), 1 it waits for an event, 2 for a disk or the kernel.',
    },
    {
      ask: 'Who waits for which lock?',
      choices: [
        {
          needs: ['tracepoint:syscalls:sys_enter_futex', 'tracepoint:syscalls:sys_exit_futex'],
          program: `tracepoint:syscalls:sys_enter_futex${filter(futex(0, 9), one)} {
  @since[tid] = nsecs; @lock[tid] = ${args}uaddr;
}
tracepoint:syscalls:sys_exit_futex /@since[tid]/ {
  @us[comm, pid, @lock[tid]] = stats((nsecs - @since[tid]) / 1000);
  delete(@since[tid]); delete(@lock[tid]);
}
tracepoint:syscalls:sys_enter_futex${filter(futex(1, 10), one)} { @wakes[comm, tid, ${args}uaddr] = count(); }
END { clear(@since); clear(@lock); }`,
        },
      ],
      seconds: 5,
      read: 'The last part of the key is the address of the lock. A thread that appears in @wakes for the same address holds it between: its stacks (ustack() in that probe) tell where. Waits as long as the whole trace are idle threads, not locks.',
    },
  ];
}
