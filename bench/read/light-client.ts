import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/**
 * A client that does next to nothing for a reply: it looks for the id in the bytes, and parses nothing. What 64
 * agents spend on their replies they spend in 64 processes; here one stands for all, and must not be what is measured.
 */
const ID_BYTES_MAX = 40;

export class LightClient {
  private readonly waiting = new Map<number, (reply: Buffer) => void>();
  private parts: Buffer[] = [];
  private lastId = 0;
  private readonly gone: Promise<unknown>;

  private constructor(
    readonly process: ChildProcess,
    private readonly stdin: Writable,
    stdout: Readable,
  ) {
    this.gone = once(process, 'exit');
    stdout.on('data', (chunk: Buffer) => this.take(chunk));
  }

  /** @param args of Node: a server's main file, and its flags */
  static async start(args: readonly string[]): Promise<LightClient> {
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const client = new LightClient(child, child.stdin, child.stdout);
    const clientInfo = { name: 'bench', version: '1' };
    await client.request('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
    client.send({ method: 'notifications/initialized' });
    return client;
  }

  /** The reply's bytes. */
  call(name: string, args: Record<string, unknown>): Promise<Buffer> {
    return this.request('tools/call', { name, arguments: args });
  }

  async close(): Promise<void> {
    this.stdin.end();
    await this.gone;
  }

  private request(method: string, params: unknown): Promise<Buffer> {
    const id = ++this.lastId;
    return new Promise(resolve => {
      this.waiting.set(id, resolve);
      this.send({ id, method, params });
    });
  }

  private send(message: Record<string, unknown>): void {
    this.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  private take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.parts.push(chunk.subarray(from, end));
      const reply = this.parts.length === 1 ? (this.parts[0] ?? chunk) : Buffer.concat(this.parts);
      this.parts = [];
      from = end + 1;
      this.deliver(reply);
    }
    if (from < chunk.length) this.parts.push(chunk.subarray(from));
  }

  /** The SDK writes the id last. */
  private deliver(reply: Buffer): void {
    const end = reply.subarray(Math.max(0, reply.length - ID_BYTES_MAX)).toString('latin1');
    const id = Number(/"id":(\d+)\}$/.exec(end)?.[1]);
    const resolve = this.waiting.get(id);
    this.waiting.delete(id);
    resolve?.(reply);
  }
}
