import { filter, isProcess, PROCESS } from './arguments.js';
import { definePrompt } from './prompt.js';

export const highCpu = definePrompt({
  name: 'high_cpu',
  title: 'High CPU',
  description: 'Who uses the processors, in which code, and with which system calls.',
  arguments: [PROCESS],
  method({ process }, { args }) {
    const one = isProcess(process);
    return {
      goal: `The processors of this host are busy${process ? ` with ${process}` : ''}. Find out with what: who, then where in its code, then what it asks of the kernel.`,
      steps: [
        {
          ask: 'Who has the processors?',
          choices: [
            {
              needs: [],
              program: `profile:hz:99${filter(one ?? 'pid != 0')} { @samples[comm, pid] = count(); }`,
            },
          ],
          seconds: 5,
          read: '495 samples are one processor for all of the 5 s; the host has 495 for each. Many pids of one name with a few samples each: short processes, so go on with the prompt short_lived. Little in all: the host is not busy but waits, so go on with slow_requests.',
        },
        {
          ask: 'Where in its code?',
          choices: [
            {
              needs: [],
              // User stacks of every process would take bpftrace longer to name than it is given.
              program: one
                ? `profile:hz:99${filter(one)} {\n  @user[ustack(8)] = count();\n  @kernel[kstack(8)] = count();\n}`
                : 'profile:hz:99 /pid != 0/ { @kernel[comm, kstack(8)] = count(); }',
            },
          ],
          seconds: 5,
          read: `${one ? '' : 'Only the kernel: for its own code ask this prompt again with the pid found as process. '}The innermost frame comes first. An empty kernel stack: it ran its own code then. Frames without names: the binary is stripped or its code is made at run time. Mostly kernel stacks: go on with step 3.`,
        },
        {
          ask: 'Which system calls, and how many are in vain?',
          choices: [
            {
              needs: ['tracepoint:raw_syscalls:sys_exit'],
              program: `tracepoint:raw_syscalls:sys_exit${filter(one)} {\n  @calls[comm, ${args}id] = count();\n  if (${args}ret < 0) { @failed[comm, ${args}id, -${args}ret] = count(); }\n}`,
            },
          ],
          seconds: 5,
          read: 'The key is the number of the system call (x86-64: 0 read, 1 write, 202 futex, 232 epoll_wait, 230 clock_nanosleep; else unistd.h), of @failed also the errno. A call that fails as often as it is made (EAGAIN 11) is a loop that should wait. Tens of thousands of reads or writes a second: look at their sizes with hist(args) of sys_exit_read.',
        },
      ],
      stop: 'one process and one stack, or one kind of call, has most of it: name it, and the share it has. When samples are spread over everything, say so; tracing longer will not change it.',
    };
  },
});
