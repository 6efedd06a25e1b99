import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { BPFTRACE, MAIN } from './server.js';
import { until } from './until.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export const POST_HEADERS = {
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
};

export const GREETING = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
};

/** The built server, serving many: on a port of loopback and on a Unix socket. */
export class SharedServer {
  log = '';
  url = '';
  readonly exited: Promise<number | null>;

  private constructor(
    readonly process: ChildProcess,
    readonly folder: string,
    readonly socket: string,
  ) {
    this.exited = new Promise(resolve => process.once('exit', resolve));
    process.stderr?.setEncoding('utf8').on('data', chunk => {
      this.log += chunk;
    });
  }

  /** @param flags beside `--http` and `--unix` */
  static async start(flags: readonly string[] = [], at?: string): Promise<SharedServer> {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-shared-'));
    const socket = at ?? join(folder, 'socket');
    const args = [
      MAIN,
      'serve',
      '--bpftrace',
      BPFTRACE,
      '--http',
      '127.0.0.1:0',
      '--unix',
      socket,
      '--drain-s',
      '0',
      ...flags,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new SharedServer(child, folder, socket);
    await until(`it serves: ${server.log}`, 30_000, () => {
      const url = /"http":"([^"]+)"/.exec(server.log)?.[1];
      server.url = url ?? '';
      return url !== undefined || child.exitCode !== null;
    });
    if (server.url === '') {
      rmSync(folder, { recursive: true });
      throw new Error(`it does not serve: ${server.log}`);
    }
    return server;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** One request, as it is written here. */
  async ask(options: RequestOptions & { body?: string; over?: 'http' | 'unix' }): Promise<Answer> {
    const { body, over = 'http', headers, ...others } = options;
    const place = over === 'unix' ? { socketPath: this.socket } : { host: '127.0.0.1', port: this.port };
    const req = request({ path: '/mcp', ...place, ...others, agent: false, headers: { ...headers } });
    const answered = once(req, 'response');
    // What is sent after the answer may find the connection closed.
    req.on('error', () => {});
    req.end(body);
    const [res] = await answered;
    let text = '';
    try {
      for await (const chunk of res) text += chunk;
    } catch {
      // Cut off in the middle; what came is the answer.
    }
    return { status: res.statusCode, headers: res.headers, body: text };
  }

  /** A session's stream of notifications, once it is there; each test ends it, or waits for its end. */
  async stream(headers: Record<string, string>, over: 'http' | 'unix' = 'http'): Promise<IncomingMessage> {
    const place = over === 'unix' ? { socketPath: this.socket } : { host: '127.0.0.1', port: this.port };
    const all = { Accept: 'text/event-stream', ...headers };
    const req = request({ path: '/mcp', ...place, agent: false, headers: all });
    req.on('error', () => {});
    req.end();
    const [res] = await once(req, 'response');
    return res.on('error', () => {});
  }

  post(
    message: unknown,
    headers: Record<string, string> = {},
    over: 'http' | 'unix' = 'http',
  ): Promise<Answer> {
    const body = typeof message === 'string' ? message : JSON.stringify(message);
    return this.ask({ method: 'POST', body, over, headers: { ...POST_HEADERS, ...headers } });
  }

  /** The id of a new session. */
  async greet(headers: Record<string, string> = {}, over: 'http' | 'unix' = 'http'): Promise<string> {
    const { status, headers: answered, body } = await this.post(GREETING, headers, over);
    if (status !== 200) throw new Error(`initialize: ${status} ${body}`);
    return String(answered['mcp-session-id']);
  }

  /** The SDK's client over HTTP. */
  async client(token?: string): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const transport = new StreamableHTTPClientTransport(new URL(this.url), { requestInit: { headers } });
    const client = new Client({ name: 'test', version: '0' });
    await client.connect(transport);
    return { client, transport };
  }

  async close(): Promise<number | null> {
    this.process.kill('SIGTERM');
    const code = await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
