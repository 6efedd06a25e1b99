import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Refusal } from '../contract/errors.js';
import type { ClientView } from '../engine/index.js';
import { LIMIT_MAX, MAP_ENTRIES_MAX, MAX_BYTES_MAX } from '../engine/window.js';
import { jsonBytes } from '../results/bytes.js';
import { pageOf } from './paging.js';

/**
 * A client's executions as resources: `bpftrace://executions/ID`, the result as JSON, and `…/output`, its lines
 * as text. Whoever subscribes is told of news, at most once a second, and of the end.
 */
const RESOURCE = /^bpftrace:\/\/executions\/([^/?]+)(\/output)?(?:\?offset=(\d{1,15}))?$/;
/** The protocol's code for a resource that is not there. */
const NOT_FOUND = -32002;
/** Clients end the connection at a message of 10 MiB. */
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;
const NEWS_EVERY_MS = 1000;
const SUBSCRIPTIONS_MAX = 256;

const TEMPLATES = [
  {
    uriTemplate: 'bpftrace://executions/{execution_id}',
    name: 'execution',
    title: 'Result of an execution',
    description: 'status, lines, maps, losses and diagnostics, as get_result gives them, up to 1 MiB',
    mimeType: 'application/json',
  },
  {
    uriTemplate: 'bpftrace://executions/{execution_id}/output{?offset}',
    name: 'output',
    title: 'All lines of an execution',
    description: 'as text, from offset on; where they are more than 8 MiB, the last line says how to read on',
    mimeType: 'text/plain',
  },
] as const;

export function serveResources(server: Server, client: ClientView): void {
  const subscriptions = new Map<string, AbortController>();

  server.setRequestHandler(ListResourcesRequestSchema, ({ params }) => {
    const { page, nextCursor } = pageOf(client.list(), params?.cursor);
    const resources = page.map(({ execution_id, status, program, submitted_at }) => ({
      uri: `bpftrace://executions/${execution_id}`,
      name: execution_id,
      title: `${status}: ${program.replace(/\s+/g, ' ').slice(0, 80)}`,
      mimeType: 'application/json',
      annotations: { lastModified: submitted_at },
    }));
    return { resources, ...(nextCursor && { nextCursor }) };
  });

  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [...TEMPLATES] }));

  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) =>
    refusalAsError(uri, async () => {
      const { id, output, offset } = parse(uri);
      return { contents: [output ? await outputOf(client, id, uri, offset) : resultOf(client, id, uri)] };
    }),
  );

  server.setRequestHandler(SubscribeRequestSchema, ({ params: { uri } }) =>
    refusalAsError(uri, async () => {
      const { id } = parse(uri);
      const { version } = client.glance(id);
      if (subscriptions.has(uri)) return {};
      if (subscriptions.size >= SUBSCRIPTIONS_MAX) {
        throw new McpError(
          ErrorCode.InvalidRequest,
          `${SUBSCRIPTIONS_MAX} subscriptions are held, which is the limit; unsubscribe from some first`,
        );
      }
      const cut = new AbortController();
      subscriptions.set(uri, cut);
      void watch(server, client, { id, uri, version }, cut.signal).finally(() => subscriptions.delete(uri));
      return {};
    }),
  );

  server.setRequestHandler(UnsubscribeRequestSchema, ({ params: { uri } }) => {
    subscriptions.get(uri)?.abort();
    return {};
  });
}

function parse(uri: string): { id: string; output: boolean; offset: number | undefined } {
  const [, id, output, offset] = RESOURCE.exec(uri) ?? [];
  if (id === undefined) {
    throw new McpError(
      NOT_FOUND,
      `there is no resource ${JSON.stringify(uri.slice(0, 120))}; there are ${TEMPLATES.map(({ uriTemplate }) => uriTemplate).join(' and ')}`,
      { uri },
    );
  }
  return { id, output: output !== undefined, offset: offset === undefined ? undefined : Number(offset) };
}

async function refusalAsError<T>(uri: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const code = error.code === 'offset_out_of_range' ? ErrorCode.InvalidParams : NOT_FOUND;
    throw new McpError(code, `${error.code}: ${error.message}; ${error.next}`, { uri });
  }
}

function resultOf(client: ClientView, id: string, uri: string) {
  const result = client.result(id, {
    limit: LIMIT_MAX,
    mapEntries: MAP_ENTRIES_MAX,
    maxBytes: MAX_BYTES_MAX,
  });
  return { uri, mimeType: 'application/json', text: JSON.stringify(result) };
}

/** In parts, so that whoever else is waited on is answered meanwhile. */
async function outputOf(client: ClientView, id: string, uri: string, from = 0) {
  const read = (offset: number) =>
    client.result(id, { offset, limit: LIMIT_MAX, mapEntries: 0, maxBytes: MAX_BYTES_MAX });
  let page = read(from);
  const lines: string[] = [];
  if (page.offset > from)
    lines.push(`[${page.offset - from} lines before these were overwritten by newer ones]`);
  let room = OUTPUT_BYTES_MAX;
  while (page.output.length > 0) {
    for (const line of page.output) lines.push(line);
    room -= jsonBytes(page.output);
    if (!page.has_more || room < MAX_BYTES_MAX) break;
    await setImmediate();
    page = read(page.next_offset);
  }
  const next = page.next_offset;
  if (page.has_more && room < MAX_BYTES_MAX) {
    lines.push(`[more lines: bpftrace://executions/${id}/output?offset=${next}]`);
  }
  return {
    uri,
    mimeType: 'text/plain',
    text: lines.map(line => `${line}\n`).join(''),
    _meta: { 'bpftrace-mcp/lines': { next_offset: next, lines_dropped: page.lines_dropped } },
  };
}

interface Watched {
  id: string;
  uri: string;
  /** As of the subscription. */
  version: number;
}

/** Tells of every change until it has ended, the client unsubscribes or the connection is gone. */
async function watch(
  server: Server,
  client: ClientView,
  { id, uri, version }: Watched,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (let seen = version, ended = false; !ended; ) {
      await client.untilChanged(id, seen, { boundMs: Number.POSITIVE_INFINITY, signal });
      if (signal.aborted) return;
      ({ version: seen, ended } = client.glance(id));
      await server.sendResourceUpdated({ uri });
      if (!ended) await sleep(NEWS_EVERY_MS, undefined, { signal });
    }
  } catch {
    // Unsubscribed while it slept, the result was forgotten, or nobody is connected any more.
  }
}
