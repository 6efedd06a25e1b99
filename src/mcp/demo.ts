import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { Status } from '../results/result.js';
import { VERSION } from '../version.js';
import { TOOL } from './tools/names.js';

/** How long each program traces. */
const TRACE_S = 3;

/** What the demonstration asks, in the order an agent would, and the status that the answer must have. */
const CALLS: readonly { why: string; tool: string; args: Record<string, unknown>; status?: Status }[] = [
  {
    why: 'Which probes see a read finish?',
    tool: TOOL.listProbes,
    args: { filter: 'syscalls:sys_exit_*read*', limit: 5 },
  },
  {
    why: `How large are the reads on this host? Traced for ${TRACE_S} s; the program never calls exit(), its deadline ends it.`,
    tool: TOOL.exec,
    args: {
      program:
        'tracepoint:syscalls:sys_exit_read /args->ret > 0/ { @bytes = hist(args->ret); @reads[comm] = count(); }',
      timeout: TRACE_S,
      wait: TRACE_S + 10,
    },
    status: 'completed',
  },
  {
    why: 'What an agent sees when it mistypes.',
    tool: TOOL.exec,
    args: { program: 'tracepoint:sched:sched_switch { @[args->nxt_comm] = count(); }' },
    status: 'failed',
  },
];

/**
 * Traces the live kernel through a real server of this package in another process, over stdio, with the SDK's
 * own client, and shows what was asked and what came back.
 */
export async function demo(serverArguments: readonly string[]): Promise<number> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const entry = fileURLToPath(new URL('../main.js', import.meta.url));
  const client = new Client({ name: 'bpftrace-mcp-demo', version: VERSION });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [entry, '--log-level', 'warn', ...serverArguments],
      stderr: 'inherit',
    }),
  );
  let failed = false;
  try {
    const { tools } = await client.listTools();
    say(
      `Connected to ${client.getServerVersion()?.name} ${client.getServerVersion()?.version} over stdio; tools: ${tools.map(tool => tool.name).join(', ')}\n`,
    );
    for (const { why, tool, args, status } of CALLS) {
      say(`── ${why}\n→ ${tool} ${JSON.stringify(args)}`);
      const begun = performance.now();
      const reply = (await client.callTool({ name: tool, arguments: args })) as CallToolResult;
      const answer = reply.content
        .map(part => (part.type === 'text' ? part.text : `[${part.type}]`))
        .join('\n');
      say(
        `← after ${Math.round(performance.now() - begun)} ms${reply.isError ? ', an error' : ''}\n${indent(answer)}\n`,
      );
      failed ||= reply.isError === true || reply.structuredContent?.status !== status;
    }
  } finally {
    await client.close();
  }
  say(failed ? 'Something went wrong above: `bpftrace-mcp doctor` says what this host lacks.' : 'Done.');
  return failed ? 1 : 0;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
