import { filter, isProcess, PROCESS } from './arguments.js';
import { definePrompt } from './prompt.js';

const STATE = 'tracepoint:sock:inet_sock_set_state';
const RETRANSMIT = 'tracepoint:tcp:tcp_retransmit_skb';
const CONNECT = 'tracepoint:syscalls:sys_exit_connect';
const RESET = 'tracepoint:tcp:tcp_receive_reset';

export const networkTrouble = definePrompt({
  name: 'network_trouble',
  title: 'Network trouble',
  description:
    'Connections that fail, segments that are sent again, resets and drops: between whom, and how many.',
  arguments: [PROCESS],
  method({ process }, { args }) {
    const one = isProcess(process);
    const peer = (map: string): string =>
      `if (${args}family == 2) { ${map}[ntop(${args}daddr), ${args}dport] = count(); }\n  else { ${map}[ntop(${args}daddr_v6), ${args}dport] = count(); }`;
    const refused = `${CONNECT}${filter(`${args}ret < 0`, one)} { @errno[comm, pid, -${args}ret] = count(); }`;
    return {
      goal: 'Something on the network fails or is slow. Find out whether connections fail, packets get lost, or a peer refuses.',
      steps: [
        {
          ask: 'Who connects where in vain?',
          choices: [
            {
              needs: [STATE, CONNECT],
              inAnyProcess: true,
              program: `${STATE} /${args}oldstate == 2 && ${args}newstate == 7/ {
  ${peer('@failed_to')}
}
${refused}`,
            },
            { needs: [CONNECT], program: refused },
          ],
          seconds: 5,
          read: '@failed_to: peers and ports to which a TCP connection was tried and given up. @errno: who was told (111 refused: nobody listens; 110 timed out and 113 no route: it is not reached; 2 no such socket file; 115 is none: it goes on without waiting). Slow and nothing failed: step 2.',
        },
        {
          ask: 'What is sent again?',
          choices: [
            {
              needs: [RETRANSMIT],
              inAnyProcess: true,
              program: `${RETRANSMIT} {\n  ${peer('@retransmits')}\n  @by_state[${args}state] = count();\n}`,
            },
            {
              needs: ['kprobe:tcp_retransmit_skb'],
              inAnyProcess: true,
              program: 'kprobe:tcp_retransmit_skb { @retransmits[kstack(6)] = count(); }',
            },
          ],
          seconds: 10,
          read: 'One peer only: the path to it, or its own load. All peers: this host or its link. State 2 (SYN_SENT): the peer does not answer at all, or its queue of new connections is full; 1: segments of a standing connection get lost.',
        },
        {
          ask: 'Who resets, and what is dropped?',
          choices: [
            {
              needs: [RESET, 'tracepoint:skb:kfree_skb'],
              inAnyProcess: true,
              program: `${RESET} {\n  ${peer('@reset_by')}\n}\ntracepoint:skb:kfree_skb { @drops[${args}reason] = count(); }`,
            },
          ],
          seconds: 5,
          read: '@reset_by: peers (and their ports) that refused or broke a connection. @drops: numbers of reasons; list_probes with filter tracepoint:skb:kfree_skb and details says what they mean (NOT_SPECIFIED is no fault; NO_SOCKET: nobody listens).',
        },
      ],
      stop: 'you know the peer and the kind: refused, not answering, or losing segments. Nothing in all three while it is slow: the time goes elsewhere, see the prompt slow_requests.',
    };
  },
});
