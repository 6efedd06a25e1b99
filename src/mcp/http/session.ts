import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  CancelledNotificationSchema,
  isJSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import type { ClientView } from '../../engine/index.js';
import { UNREAD_BYTES_MAX } from '../stdio-pipes.js';
import { TOOL } from '../tools/names.js';
import type { SessionEvents } from './event-log.js';
import type { Principal } from './gate.js';
import { HttpRefusal, RPC } from './refuse.js';
import { streamOut } from './stream-out.js';

/** Requests of one session that are being answered; agents have a few. */
const REQUESTS_MAX = 256;
/** Whoever takes nothing for so long is not slow but gone, whatever its connection says. */
const STALLED_MS = 120_000;
/** What the transport looks at. The token is none of its business. */
const HEADERS = ['accept', 'content-type', 'last-event-id', 'mcp-protocol-version', 'mcp-session-id'];

export interface SessionParts {
  readonly id: string;
  readonly principal: Principal;
  readonly view: ClientView;
  readonly server: Server;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly events: SessionEvents;
}

export interface SessionBounds {
  /** Without a connection, until it is ended. */
  idleMs: number;
  /** After the last connection broke off, until its programs are stopped. */
  reconnectMs: number;
}

/** The answer to a request, or to those of a batch, which is being written. */
interface Answering {
  res: ServerResponse;
  /** Its first bytes, which name its stream. */
  begin: string;
  /** It is that of other requests too. */
  isBatch: boolean;
}

/**
 * One MCP session of one client.
 *
 *   open    a connection of the client's is there: a request that is being answered, or its stream of notifications.
 *   quiet   none is there, and the last one came to its end: the agent thinks. `ended` after `idleMs`.
 *   lost    none is there, and the last one broke off. A client may come back and ask for what it missed, so this alone
 *           cancels nothing (the protocol says so too). `forsaken` after `reconnectMs`.
 *   forsaken  the client is taken to have gone: what was submitted is stopped, and keeps what it gathered. It may still
 *           come back, since many can't begin a new session. `ended` after `idleMs`, or when its room is wanted.
 *   ended   by the client (DELETE), by these bounds, because its token does not hold any longer, or because it does not
 *           read its answers. What was submitted is stopped; its id is unknown from then on. Never left.
 */
export class Session {
  private readonly connections = new Set<ServerResponse>();
  private readonly answers = new Map<RequestId, Answering>();
  private readonly stalledSinceMs = new Map<ServerResponse, number>();
  private leftAtMs = performance.now();
  private brokeOff = false;
  private forsaken = false;
  private ended = false;

  /** @param onEnded called once, with why */
  constructor(
    private readonly parts: SessionParts,
    private readonly bounds: SessionBounds,
    private readonly onEnded: (why: string) => void,
  ) {
    parts.server.onclose = () => this.end('the client ended it');
  }

  get id(): string {
    return this.parts.id;
  }

  get server(): Server {
    return this.parts.server;
  }

  get principal(): Principal {
    return this.parts.principal;
  }

  /** The client has been greeted. */
  get isInitialized(): boolean {
    return this.parts.transport.sessionId !== undefined;
  }

  /** Nobody is expected to come back to it. */
  get isForsaken(): boolean {
    return this.forsaken;
  }

  /** A request waits for its answer; the stream of notifications waits for nothing. */
  get isAnswering(): boolean {
    return [...this.connections].some(res => res.req.method === 'POST');
  }

  /** Bytes of answers that the client has not read. */
  get unreadBytes(): number {
    let bytes = 0;
    for (const res of this.connections) bytes += res.writableLength;
    return bytes;
  }

  /** @throws HttpRefusal 429 */
  async handle(req: IncomingMessage, res: ServerResponse, parsedBody?: unknown): Promise<void> {
    const requests = [parsedBody].flat().filter(message => isJSONRPCRequest(message));
    // What cancels, answers or ends is over at once, and may be what makes room.
    const stays = req.method === 'GET' || requests.length > 0;
    if (stays && this.connections.size >= REQUESTS_MAX) {
      throw new HttpRefusal(
        429,
        `${REQUESTS_MAX} requests of this session are being answered, which is the limit`,
        undefined,
        { 'Retry-After': '1' },
      );
    }
    const twice = requests.find(({ id }) => this.answers.has(id));
    if (twice) {
      // The transport would answer one of the two, and keep the other's stream open for ever.
      throw new HttpRefusal(
        400,
        `a request with the id ${JSON.stringify(twice.id).slice(0, 80)} is being answered: give each an id of its own`,
        RPC.invalid,
      );
    }
    const { transport, events } = this.parts;
    const lastEvent = req.headers['last-event-id'];
    if (typeof lastEvent === 'string' && events.isCancelled(lastEvent)) {
      throw new HttpRefusal(405, 'that request was cancelled: it has no answer to wait for', undefined, {
        Allow: 'POST, DELETE',
      });
    }
    if (req.method === 'GET' && typeof lastEvent === 'string' && !events.hasMoreAfter(lastEvent)) {
      throw new HttpRefusal(
        400,
        `nothing can come after the event ${JSON.stringify(lastEvent)}: its answer was had, or is kept no longer, or it ` +
          `is not of this session; see with ${TOOL.listExecutions} what runs or has a result, or ask again; the stream ` +
          'of notifications is had without Last-Event-ID',
        RPC.invalid,
      );
    }
    this.connections.add(res);
    this.forsaken = false;
    res.once('close', () => this.left(res));
    const answering: Answering = { res, begin: '', isBatch: Array.isArray(parsedBody) };
    for (const { id } of requests) this.answer(id, answering);
    const ids = requests.map(({ id }) => id);
    events.expect(ids);
    const headers = HEADERS.flatMap(name => {
      const value = req.headers[name];
      return typeof value === 'string' ? [[name, value] as [string, string]] : [];
    });
    const request = new Request('http://localhost/mcp', { method: req.method ?? 'GET', headers });
    const answer = await transport.handleRequest(request, { parsedBody });
    if (answer.status !== 200) events.unexpect(ids);
    for (const message of [parsedBody].flat()) {
      const cancelled = CancelledNotificationSchema.safeParse(message).data?.params.requestId;
      if (cancelled !== undefined) this.endAnswer(cancelled);
    }
    // A stream that had its answer while nobody was connected has nothing more to say.
    const messages = events.takeFinished(request.headers.get('last-event-id') ?? '');
    await streamOut(
      answer,
      res,
      chunk => {
        if (answering.begin === '') answering.begin = Buffer.from(chunk).toString('latin1');
        this.written(res);
      },
      messages,
    );
  }

  private answer(id: RequestId, answering: Answering): void {
    this.answers.set(id, answering);
    answering.res.once('close', () => {
      if (this.answers.get(id) === answering) this.answers.delete(id);
    });
  }

  /** A request that was cancelled is not answered; the transport would keep its stream open for ever. */
  private endAnswer(id: RequestId): void {
    const answering = this.answers.get(id);
    if (!answering) return;
    if (answering.isBatch) {
      // The others of its batch are to be answered yet. That it has its answer already is an error of no news.
      const error = { code: RPC.refused, message: 'it was cancelled' };
      this.parts.transport.send({ jsonrpc: '2.0', id, error }).catch(() => {});
      return;
    }
    this.parts.events.unexpect([id]);
    this.parts.events.cancel(answering.begin);
    answering.res.end();
  }

  /** Looks whether it is over. Called now and then. */
  review(nowMs: number): void {
    if (!this.principal.holds()) {
      this.end('its token does not hold any longer');
      return;
    }
    for (const [res, sinceMs] of this.stalledSinceMs) if (nowMs - sinceMs > STALLED_MS) res.destroy();
    if (this.connections.size > 0) return;
    const { idleMs, reconnectMs } = this.bounds;
    const goneMs = nowMs - this.leftAtMs;
    if (goneMs > idleMs) this.end('it had no connection for long');
    else if (this.brokeOff && goneMs > reconnectMs && !this.forsaken) {
      this.forsaken = true;
      this.parts.view.leave();
    }
  }

  end(why: string): void {
    if (this.ended) return;
    this.ended = true;
    const { view, server, events } = this.parts;
    view.leave();
    void server.close();
    events.close();
    this.onEnded(why);
  }

  /** As over stdio: a client that leaves so much unread is given up. */
  giveUp(): void {
    this.end('the client does not read its answers');
    for (const res of this.connections) res.destroy();
  }

  private left(res: ServerResponse): void {
    this.connections.delete(res);
    this.stalledSinceMs.delete(res);
    this.brokeOff = !res.writableFinished;
    this.leftAtMs = performance.now();
  }

  private written(res: ServerResponse): void {
    if (!res.writableNeedDrain) return;
    if (!this.stalledSinceMs.has(res)) {
      this.stalledSinceMs.set(res, performance.now());
      res.once('drain', () => this.stalledSinceMs.delete(res));
    }
    if (this.unreadBytes > UNREAD_BYTES_MAX) this.giveUp();
  }
}
