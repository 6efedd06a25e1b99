import { filter, isProcess, PROCESS } from './arguments.js';
import { definePrompt } from './prompt.js';

const SYNCS = ['fsync', 'fdatasync', 'sync', 'syncfs'];

export const slowDisk = definePrompt({
  name: 'slow_disk',
  title: 'Slow disk',
  description:
    'How long disk requests take, who makes them, and who forces data to the disk and waits for it.',
  arguments: [PROCESS],
  method({ process }, { args }) {
    const one = isProcess(process);
    const request = `${args}dev, ${args}sector`;
    const syncs = (side: string): string[] => SYNCS.map(call => `tracepoint:syscalls:sys_${side}_${call}`);
    return {
      goal: 'The disk seems slow. Find out whether its requests take long or whether there are many, and who causes them.',
      steps: [
        {
          ask: 'How long do requests take, by device?',
          choices: [
            {
              needs: ['tracepoint:block:block_rq_issue', 'tracepoint:block:block_rq_complete'],
              inAnyProcess: true,
              program: `tracepoint:block:block_rq_issue { @start[${request}] = nsecs; }
tracepoint:block:block_rq_complete /@start[${request}]/ {
  @us[${args}dev >> 20, ${args}dev & 0xfffff] = hist((nsecs - @start[${request}]) / 1000);
  delete(@start[${request}]);
}
END { clear(@start); }`,
            },
          ],
          seconds: 5,
          read: 'The key is the device (major, minor, as in lsblk), the values are microseconds. Below 1,000 is a healthy SSD, 5,000 to 15,000 a turning disk. Two heaps far apart: some wait for a flush or a full queue. Nothing: no request reached a disk, so what is slow lies above it (step 3, or the prompt slow_requests).',
        },
        {
          ask: 'Who makes them, and how large are they?',
          choices: [
            {
              needs: ['tracepoint:block:block_rq_issue'],
              program: `tracepoint:block:block_rq_issue { @bytes[comm] = hist(${args}bytes); }`,
            },
          ],
          seconds: 5,
          read: 'n is the number of requests, of 0 bytes those that only flush. kworker and jbd2 write what others wrote before: step 3, and writes to files (sys_enter_write by comm), tell who. Many requests of 4K: small random access.',
        },
        {
          ask: 'Who forces data to the disk, and how long does it wait?',
          choices: [
            {
              needs: [...syncs('enter'), ...syncs('exit')],
              program: `${syncs('enter').join(',\n')}${filter(one)} { @start[tid] = nsecs; }
${syncs('exit').join(',\n')} /@start[tid]/ {
  @us[comm, pid] = hist((nsecs - @start[tid]) / 1000);
  delete(@start[tid]);
}
END { clear(@start); }`,
            },
          ],
          seconds: 5,
          read: 'n is the number of forced writes, each of which waits until the disk has it. Hundreds a second of one process are the cause: it should write more at a time. Few and slow: the device is (step 1).',
        },
      ],
      stop: 'you know the device, whether requests are slow or many, and the process behind them. When step 1 is fast and step 3 is empty, the disk is not the cause: say so.',
    };
  },
});
