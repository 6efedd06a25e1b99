import { definePrompt } from './prompt.js';

const EXEC = 'tracepoint:sched:sched_process_exec';
const EXIT = 'tracepoint:sched:sched_process_exit';
const FORK = 'tracepoint:sched:sched_process_fork';

export const shortLived = definePrompt({
  name: 'short_lived',
  title: 'What runs too shortly to see',
  description:
    'Processes that top never shows: what they are, how long they live, and who starts them without end.',
  arguments: [],
  method(_given, { args }) {
    return {
      goal: 'Processes come and go too quickly for top or ps. Find out what they are, how long they live and who starts them.',
      steps: [
        {
          ask: 'What runs, and for how long?',
          choices: [
            {
              needs: [EXEC, EXIT],
              program: `${EXEC} { @born[pid] = nsecs; }
${EXIT} /@born[pid] && pid == tid/ {
  @ms[comm] = hist((nsecs - @born[pid]) / 1000000);
  delete(@born[pid]);
}
END { clear(@born); }`,
            },
          ],
          seconds: 10,
          read: 'Milliseconds from exec to exit, by name; n is how many have come and gone. Tens a second of one name are the cause of a load that no process seems to have.',
        },
        {
          ask: 'Who starts them?',
          choices: [{ needs: [FORK], program: `${FORK} { @forks[comm, pid] = count(); }` }],
          seconds: 5,
          read: 'The key is the parent. Threads count as well: a program with many forks and no execs makes threads. A parent that is short-lived itself: look one step up with step 3.',
        },
        {
          ask: 'With which arguments?',
          choices: [
            {
              needs: ['tracepoint:syscalls:sys_enter_execve'],
              program: `tracepoint:syscalls:sys_enter_execve { printf("%d %s: ", pid, comm); join(${args}argv); }`,
            },
          ],
          seconds: 5,
          read: 'One line for each start, the process that becomes the program first. get_result with match finds one among many.',
        },
      ],
      stop: 'you know the program, how many a second, and the parent that starts it. What they cost: the prompt high_cpu shows their share of the processors.',
    };
  },
});
