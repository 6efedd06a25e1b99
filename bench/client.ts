import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { Result } from '../src/results/result.js';
import { BPFTRACE, MAIN } from '../test/support/server.js';
import { peerBinary } from './peer/peer.js';

/** A server in a process of its own, and the SDK's client here: what an agent's host would have. */
export class BenchClient {
  private constructor(private readonly client: Client) {}

  static ours(flags: readonly string[] = []): Promise<BenchClient> {
    return BenchClient.start(process.execPath, [
      MAIN,
      '--bpftrace',
      BPFTRACE,
      '--log-level',
      'silent',
      ...flags,
    ]);
  }

  /** MCPtrace; undefined where it is not installed. It starts `sudo bpftrace`, and as root any password does. */
  static async peer(): Promise<BenchClient | undefined> {
    const binary = peerBinary();
    return binary === undefined ? undefined : BenchClient.start(binary, [], { BPFTRACE_PASSWD: 'unused' });
  }

  private static async start(command: string, args: string[], more: Record<string, string> = {}) {
    const env: Record<string, string> = { ...more };
    for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] ??= value;
    const client = new Client({ name: 'bench', version: '1' });
    await client.connect(new StdioClientTransport({ command, args, env, stderr: 'ignore' }));
    // The client checks answers against the schemas that it has been told, as agents' hosts do.
    await client.listTools();
    return new BenchClient(client);
  }

  /** @returns what is typed, or what the text holds as JSON (MCPtrace) */
  async call(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const reply = await this.client.callTool({ name, arguments: args });
    const [first] = Array.isArray(reply.content) ? reply.content : [];
    const text = typeof first?.text === 'string' ? first.text : '';
    if (reply.isError === true) throw new Error(`${name}: ${text}`);
    if (typeof reply.structuredContent === 'object') return { ...reply.structuredContent };
    return JSON.parse(text);
  }

  /** A call of one of our tools that answers with a result. */
  async result(
    name: 'exec_program' | 'get_result' | 'stop_program',
    args: Record<string, unknown>,
  ): Promise<Result> {
    return (await this.call(name, args)) as Result;
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
