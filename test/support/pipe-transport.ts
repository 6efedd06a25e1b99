import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { JSONRPCMessage, MCPTransport } from '@ai-sdk/mcp';

/**
 * MCP's stdio framing over the pipes of a process that the test owns. The vendor's own stdio transport hides
 * the process, and these tests need its id.
 */
export class PipeTransport implements MCPTransport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Lines that are not JSON-RPC: on a server's standard output there must be none. */
  readonly stray: string[] = [];

  constructor(private readonly child: ChildProcessWithoutNullStreams) {}

  async start(): Promise<void> {
    this.child.stdin.on('error', error => this.onerror?.(error));
    createInterface({ input: this.child.stdout }).on('line', line => this.receive(line));
    this.child.once('exit', () => this.onclose?.());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  async close(): Promise<void> {
    this.child.stdin.end();
  }

  private receive(line: string): void {
    try {
      const message: JSONRPCMessage = JSON.parse(line);
      if (message.jsonrpc !== '2.0') throw new Error('not JSON-RPC');
      this.onmessage?.(message);
    } catch {
      this.stray.push(line);
    }
  }
}
