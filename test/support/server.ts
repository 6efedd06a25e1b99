import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createMCPClient, type MCPClient } from '@ai-sdk/mcp';
import type { Result, Summary } from '../../src/results/result.js';
import { PipeTransport } from './pipe-transport.js';

/** The built server, as `bpftrace-mcp` starts it. */
export const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** The bpftrace that the suite runs against. */
export const BPFTRACE = process.env.BPFTRACE_MCP_BPFTRACE ?? 'bpftrace';

export interface Reply {
  isError: boolean;
  text: string;
  structured: Record<string, unknown> | undefined;
}

type Tools = Awaited<ReturnType<MCPClient['tools']>>;

/** A real server in its own process, and a client of another vendor (@ai-sdk/mcp) talking to it over its pipes. */
export class ServerUnderTest {
  /** Everything the server has logged. */
  log = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  private constructor(
    readonly process: ChildProcessWithoutNullStreams,
    private readonly transport: PipeTransport,
    readonly client: MCPClient,
    private readonly tools: Tools,
  ) {
    this.exited = new Promise(resolve => process.once('exit', (code, signal) => resolve({ code, signal })));
    process.stderr.on('data', chunk => {
      this.log += chunk;
    });
  }

  static async start(
    flags: readonly string[] = [],
    options: { node?: string; main?: string; env?: NodeJS.ProcessEnv; uid?: number; bare?: boolean } = {},
  ): Promise<ServerUnderTest> {
    const child = spawn(
      options.node ?? process.execPath,
      [options.main ?? MAIN, ...(options.bare ? [] : ['--bpftrace', BPFTRACE]), ...flags],
      {
        stdio: 'pipe',
        env: { ...process.env, ...options.env },
        ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
      },
    );
    const transport = new PipeTransport(child);
    const client = await createMCPClient({ transport });
    return new ServerUnderTest(child, transport, client, await client.tools());
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Lines on its standard output that are not JSON-RPC. */
  get strayOutput(): readonly string[] {
    return this.transport.stray;
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const tool = this.tools[name];
    if (!tool) throw new Error(`no tool ${name}`);
    return replyOf(await tool.execute(args, { toolCallId: 'test', messages: [] }));
  }

  /** Calls a tool and gives back one array of its structured answer; a tool error fails the test. */
  async list<T>(name: string, key: string, args: Record<string, unknown> = {}): Promise<T[]> {
    const reply = await this.call(name, args);
    const found = reply.structured?.[key];
    if (!Array.isArray(found)) throw new Error(`${name} has no ${key}: ${reply.text}`);
    return found as T[];
  }

  /** Calls a tool that answers with a result; a tool error fails the test. */
  async result(name: string, args: Record<string, unknown> = {}): Promise<Result> {
    const reply = await this.call(name, args);
    if (reply.isError) throw new Error(`${name}: ${reply.text}`);
    return reply.structured as Result;
  }

  async executions(): Promise<Summary[]> {
    return this.list('list_executions', 'executions');
  }

  /** Closes standard input, as a client that goes away does, and waits for the end. */
  async close(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    await this.client.close();
    return this.exited;
  }
}

function replyOf(reply: unknown): Reply {
  if (typeof reply !== 'object' || reply === null) throw new Error(`no reply: ${JSON.stringify(reply)}`);
  const { content, isError, structuredContent } = reply as {
    content?: { type: string; text?: string }[];
    isError?: boolean;
    structuredContent?: Record<string, unknown>;
  };
  return {
    isError: isError === true,
    text: (content ?? []).map(part => part.text ?? '').join('\n'),
    structured: structuredContent,
  };
}
