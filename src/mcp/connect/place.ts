import { setMaxListeners } from 'node:events';
import { lstatSync, type Stats } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';

/** Where a shared server is. */
export interface Place {
  url: URL;
  /** In place of the URL's host. */
  socketPath?: string;
  /** A bearer token. */
  token?: string;
}

/** The server answered, and did not do what it was asked. */
export class ServerRefusal extends Error {
  override readonly name = 'ServerRefusal';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const REASON_CHARACTERS_MAX = 500;

export function nameOf({ url, socketPath }: Place): string {
  return socketPath ?? url.href;
}

/**
 * `fetch` for a place: the one of Node knows no Unix sockets, and gives up streams that are silent for minutes. An
 * answer that is no success is thrown as a {@link ServerRefusal}.
 */
export function fetchOf({ socketPath, token }: Place): FetchLike {
  const isSecure = (url: URL): boolean => url.protocol === 'https:';
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  return async (input, init = {}) => {
    const url = new URL(input);
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    const options: http.RequestOptions = {
      method: init.method ?? 'GET',
      headers: Object.fromEntries(headers),
      agent: isSecure(url) ? agents.https : agents.http,
      ...(socketPath !== undefined && { socketPath }),
      ...(init.signal && { signal: init.signal }),
    };
    // One signal of the transport's ends all of its requests, however many they are.
    if (init.signal) setMaxListeners(0, init.signal);
    const message = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = (isSecure(url) ? https : http).request(url, options, resolve);
      request.once('error', reject);
      request.end(typeof init.body === 'string' ? init.body : undefined);
    });
    const status = message.statusCode ?? 0;
    // That there is no such stream (of a request that was cancelled) is understood by whoever asked for it.
    const isNoStream = status === 405 && options.method === 'GET';
    if ((status < 200 || status > 299) && !isNoStream)
      throw new ServerRefusal(status, await reasonOf(message));
    const given = Object.entries(message.headers).flatMap(([name, value]) => {
      return typeof value === 'string' ? [[name, value] as [string, string]] : [];
    });
    // The kind of stream is the same; two declarations of it differ.
    const body = Readable.toWeb(message) as ReadableStream<Uint8Array>;
    return new Response(status === 204 ? null : body, { status, headers: given });
  };
}

async function reasonOf(message: http.IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of message.setEncoding('utf8')) {
      text += chunk;
      if (text.length > REASON_CHARACTERS_MAX) break;
    }
    const answer: { error?: { message?: string } } = JSON.parse(text);
    if (answer.error?.message !== undefined) return answer.error.message;
  } catch {
    // Whatever it is, it is no answer of ours.
  }
  return text.trim().slice(0, REASON_CHARACTERS_MAX) || `HTTP status ${message.statusCode}`;
}

/** What to say, and what to do, about a server that can't be used. */
export function troubleWith(place: Place, error: unknown): { message: string; next: string } {
  const name = nameOf(place);
  if (error instanceof ServerRefusal) {
    const next =
      error.status === 401
        ? 'pass a token that holds by --token-file; the operator makes one with `bpftrace-mcp token add`'
        : 'its operator can tell more';
    return { message: `the shared server at ${name} refuses (${error.status}): ${error.message}`, next };
  }
  const { code = '', message = String(error) } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code === 'EACCES') return deniedAt(name);
  return {
    message: `no shared server can be reached at ${name}: ${message}`,
    next: 'see whether `bpftrace-mcp serve` runs there, and call again: it is looked for at each call',
  };
}

function deniedAt(socketPath: string): { message: string; next: string } {
  let stat: Stats | undefined;
  try {
    stat = lstatSync(socketPath, { throwIfNoEntry: false });
  } catch {
    return {
      message: `this user may not enter a folder on the way to ${socketPath}`,
      next: 'have its operator let you in there, or put the socket where you may go',
    };
  }
  if (stat && !stat.isSocket()) {
    return { message: `${socketPath} is no socket`, next: 'give --unix the path that the server was given' };
  }
  const mode = stat ? ` (mode ${(stat.mode & 0o777).toString(8)}, group ${stat.gid})` : '';
  return {
    message: `this user may not open ${socketPath}${mode}`,
    next: "be put into the socket's group, and log in again",
  };
}
