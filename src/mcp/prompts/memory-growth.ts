import { filter, isProcess, PROCESS } from './arguments.js';
import { definePrompt } from './prompt.js';

const FAULT = 'tracepoint:exceptions:page_fault_user';

export const memoryGrowth = definePrompt({
  name: 'memory_growth',
  title: 'Memory growth',
  description: 'Whose memory grows, by which calls it is asked for, and in which code it is used first.',
  arguments: [PROCESS],
  method({ process }, { args }) {
    const one = isProcess(process);
    const faults = (probe: string): string =>
      `${probe}${filter(one)} { @faults[comm, ustack(8)] = count(); }`;
    const counted = (probe: string): string => `${probe}${filter(one)} { @faults[comm, pid] = count(); }`;
    return {
      goal: `Memory grows${process ? ` in ${process}` : ' on this host'}. Find out whose, how it is asked for, and by which code.`,
      steps: [
        {
          ask: 'Whose memory grows?',
          choices: [
            {
              needs: ['tracepoint:kmem:rss_stat'],
              // Its field is read once, before the map: the verifier refuses what 0.17 makes of the other order.
              program: `tracepoint:kmem:rss_stat${filter(`${args}curr == 1 && ${args}member == 1`, one)} {
  $now = ${args}size;
  $first = @first[pid];
  if ($first == 0) { $first = $now; @first[pid] = $first; }
  @grown[comm, pid] = $now - $first;
}
END { clear(@first); }`,
            },
            { needs: [FAULT], program: counted(FAULT) },
            { needs: [], program: counted('software:page-faults:1') },
          ],
          seconds: 10,
          read: '@grown: bytes of anonymous memory more than at its first change in this time; negative is less. @faults, where it stands instead: pages used for the first time, about 4 KB each. A process that starts grows too: trust one that still grows in a second run. Nothing grows: files in the page cache are no leak.',
        },
        {
          ask: 'How does it ask for it?',
          choices: [
            {
              needs: ['mmap', 'munmap', 'brk'].map(call => `tracepoint:syscalls:sys_enter_${call}`),
              program: `tracepoint:syscalls:sys_enter_mmap${filter(one)} { @mapped_bytes[comm, pid] = sum(${args}len); }
tracepoint:syscalls:sys_enter_munmap${filter(one)} { @unmapped_bytes[comm, pid] = sum(${args}len); }
tracepoint:syscalls:sys_enter_brk${filter(one)} { @brk_calls[comm, pid] = count(); }`,
            },
          ],
          seconds: 10,
          read: 'Much more mapped than unmapped: large pieces (128 KB and more) are kept. brk: many small ones. Both even: it reuses what it has.',
        },
        ...(one
          ? [
              {
                ask: 'Which code uses new memory first?',
                choices: [
                  { needs: [FAULT], program: faults(FAULT) },
                  { needs: [], program: faults('software:page-faults:1') },
                ],
                seconds: 5,
                read: 'Each count is one page of 4 KB that was touched for the first time; the innermost frame comes first. memset, memcpy or a constructor at the top: the caller below it is the one.',
              },
            ]
          : []),
      ],
      // Stacks of every process would take bpftrace a minute to name.
      stop: `${one ? 'one stack has most of the new pages' : 'one process is found: ask this prompt again with its pid as process, and it goes on to the code'}. Tracing tells who takes memory, not who forgets to give it back: say which code to look at.`,
    };
  },
});
