import { startCulprits } from '../../test/support/culprits.js';
import { type Reply, ServerUnderTest } from '../../test/support/server.js';

/** What an agent asks on the way from "something asks for a file that is not there" to who it is. */
interface Step {
  /** What it has in mind. */
  why: string;
  tool: string;
  /** @param replies to the steps before, the latest last */
  args(replies: readonly Reply[]): Record<string, unknown>;
}

/** A step as it went. */
export interface Exchange {
  why: string;
  tool: string;
  args: Record<string, unknown>;
  reply: Reply;
  ms: number;
}

/** Lines given by one call that reads pages. */
const PAGE_LINES = 5;

const opensThatFail = (field: string): string =>
  `tracepoint:syscalls:sys_enter_openat { @name[tid] = args->${field}; }
tracepoint:syscalls:sys_exit_openat /@name[tid]/ {
  if (args->ret < 0) {
    printf("%s %d: %s, errno %d\\n", comm, pid, str(@name[tid]), -args->ret);
    @failed[comm, pid] = count();
  }
  delete(@name[tid]);
}
END { clear(@name); }`;
const MISTAKEN = opensThatFail('path');
const PROGRAM = opensThatFail('filename');

const STEPS: readonly Step[] = [
  { why: 'What is this host, and what works on it?', tool: 'bpf_info', args: () => ({}) },
  {
    why: 'Which probes see a file opened?',
    tool: 'list_probes',
    args: () => ({ filter: 'open file', limit: 5 }),
  },
  {
    why: 'Would this program run? (One of its fields is a guess.)',
    tool: 'validate_program',
    args: () => ({ program: MISTAKEN }),
  },
  {
    why: 'The field that the hint names, then.',
    tool: 'validate_program',
    args: () => ({ program: PROGRAM }),
  },
  {
    why: 'It runs from here on, and nobody waits for it.',
    tool: 'exec_program',
    args: () => ({ program: PROGRAM, timeout: 50 }),
  },
  {
    why: 'How do its maps look after some seconds? It goes on.',
    tool: 'get_result',
    args: replies => ({ ...started(replies), snapshot: true, wait: 3, limit: PAGE_LINES }),
  },
  { why: 'That is enough.', tool: 'stop_program', args: started },
  {
    why: 'Only the lines of one process, the first page.',
    tool: 'get_result',
    args: replies => ({ ...started(replies), ...MATCHING, offset: 0 }),
  },
  {
    why: 'The second page.',
    tool: 'get_result',
    args: replies => ({ ...started(replies), ...MATCHING, offset: replies.at(-1)?.structured?.next_offset }),
  },
];

/** Without the maps, which are known by then. */
const MATCHING = { match: '^seeker .*errno 2$', limit: PAGE_LINES, map_entries: 0 };

function started(replies: readonly Reply[]): { execution_id: unknown } {
  const ids = replies.map(({ structured }) => structured?.execution_id);
  return { execution_id: ids.find(id => id !== undefined) };
}

/** The whole session over a real client and a server of its own, while a process looks for a file that is not there. */
export async function session(each: (exchange: Exchange) => void): Promise<void> {
  const crowd = startCulprits(['seeker']);
  try {
    const server = await ServerUnderTest.start(['--log-level', 'warn']);
    await converse(server, each).finally(() => server.close());
  } finally {
    await crowd.stop();
  }
}

async function converse(server: ServerUnderTest, each: (exchange: Exchange) => void): Promise<void> {
  const replies: Reply[] = [];
  for (const { why, tool, args } of STEPS) {
    const given = args(replies);
    const begun = performance.now();
    const reply = await server.call(tool, given);
    replies.push(reply);
    each({ why, tool, args: given, reply, ms: performance.now() - begun });
  }
}
