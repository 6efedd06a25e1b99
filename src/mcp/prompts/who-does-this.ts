import { filter, isProcess, PROCESS, pathOf } from './arguments.js';
import { definePrompt } from './prompt.js';

export const whoDoesThis = definePrompt({
  name: 'who_does_this',
  title: 'Who is doing this?',
  description:
    'Who opens or fails to open which files, starts which programs, sends which signals, deletes what.',
  arguments: [
    PROCESS,
    { name: 'path', description: 'only this file, as the program that opens it writes it' },
  ],
  method({ process, path }, { args }) {
    const one = isProcess(process);
    const file = path === undefined ? undefined : `str(${args}filename) == "${pathOf('path', path)}"`;
    return {
      goal: `Something happens on this host, and it is not known who does it${path ? ` (${path})` : ''}. Look at the kind of event that it must be.`,
      steps: [
        {
          ask: path ? 'Who opens it?' : 'Who fails to open what?',
          choices: [
            {
              needs: ['enter', 'exit'].map(side => `tracepoint:syscalls:sys_${side}_openat`),
              program: `tracepoint:syscalls:sys_enter_openat${filter(file, one)} { @name[tid] = ${args}filename; }
tracepoint:syscalls:sys_exit_openat /@name[tid]/ {
  ${path ? '' : `if (${args}ret < 0) { `}@${path ? 'opened' : 'failed'}[comm, pid, str(@name[tid]), ${path ? `${args}ret < 0 ? -${args}ret : 0` : `-${args}ret`}] = count();${path ? '' : ' }'}
  delete(@name[tid]);
}
END { clear(@name); }`,
            },
          ],
          seconds: 5,
          read: 'The last part of the key is the errno (2 there is no such file, 13 not allowed, 24 too many open files; 0 it was opened). A search along a path fails many times by design: look for one name asked for again and again. Without a filter on ret it tells all opens.',
        },
        {
          ask: 'Who starts programs?',
          choices: [
            {
              needs: ['tracepoint:syscalls:sys_enter_execve'],
              program: `tracepoint:syscalls:sys_enter_execve${filter(one)} { printf("%d %s: ", pid, comm); join(${args}argv); }`,
            },
          ],
          seconds: 5,
          read: 'The name is that of the process before it becomes the program: a shell, cron, a supervisor. The same line over and over: go on with the prompt short_lived.',
        },
        {
          ask: 'Who sends signals to whom?',
          choices: [
            {
              needs: ['tracepoint:signal:signal_generate'],
              program: `tracepoint:signal:signal_generate${filter(`${args}sig != 17`, one)} { @signals[comm, pid, ${args}sig, ${args}comm, ${args}pid] = count(); }`,
            },
          ],
          seconds: 5,
          read: 'Sender and its pid, the signal (9 KILL, 15 TERM, 11 SEGV, 6 ABRT, 13 PIPE), who got it and its pid. 11 or 6 from itself: it crashed. A KILL from a process that itself allocates: look for the OOM killer (tracepoint:oom:mark_victim). SIGCHLD (17) is left out.',
        },
        {
          ask: 'Who deletes files?',
          choices: [
            {
              needs: ['tracepoint:syscalls:sys_enter_unlinkat'],
              program: `tracepoint:syscalls:sys_enter_unlinkat${filter(one)} { @deleted[comm, pid, str(${args}pathname)] = count(); }`,
            },
          ],
          seconds: 5,
          read: 'Names are as the program wrote them, so they may be relative. rm uses unlinkat; programs that call unlink() are seen with tracepoint:syscalls:sys_enter_unlink where the processor has it.',
        },
      ],
      stop: 'you have the name and pid of who does it; sched:sched_process_fork tells who started that one. Rare events: a longer timeout (60 at most), or run it again.',
    };
  },
});
