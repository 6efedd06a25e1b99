import { randomUUID } from 'node:crypto';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Logger } from 'pino';
import type { TraceEngine } from '../../engine/index.js';
import { announceEnd } from '../announce.js';
import { createMcpServer } from '../server.js';
import { EventLog } from './event-log.js';
import type { Principal } from './gate.js';
import { HttpRefusal, RPC } from './refuse.js';
import { Session } from './session.js';

const REVIEW_EVERY_MS = 1000;
/** Of all sessions together; beyond it, the one that leaves most unread is given up. */
const UNREAD_BYTES_MAX = 256 * 1024 * 1024;

/** The sessions of all clients over HTTP and the Unix socket, on one engine. */
export class Sessions {
  private readonly byId = new Map<string, Session>();
  private readonly eventLog = new EventLog();
  private readonly timer = setInterval(() => this.review(), REVIEW_EVERY_MS).unref();
  private anonymous = 0;
  private closing = false;

  constructor(
    private readonly engine: TraceEngine,
    private readonly log: Logger,
  ) {}

  get count(): number {
    return this.byId.size;
  }

  /** Somebody waits for an answer. */
  get isAnswering(): boolean {
    return [...this.byId.values()].some(session => session.isAnswering);
  }

  /** A new one, which is kept if the client is greeted in it. @param about whose it is, for the log. @throws HttpRefusal 503 */
  async open(principal: Principal, about: Record<string, unknown>): Promise<Session> {
    this.requireRoom(principal);
    const { config } = this.engine;
    const id = randomUUID();
    const name = principal.client ?? `${principal.key}-${++this.anonymous}`;
    const view = this.engine.as(name, principal.terms);
    const log = this.log.child({ session: id.slice(0, 8), client: name });
    const server = createMcpServer({ client: view, config, log });
    // Whatever a stranger sends wrong is told to him, and is no news to the operator.
    server.onerror = error => log.debug({ err: error }, 'MCP transport');
    const events = this.eventLog.open();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: events,
    });
    await server.connect(transport);
    const bounds = { idleMs: config.sessionIdleS * 1000, reconnectMs: config.reconnectS * 1000 };
    const session = new Session({ id, principal, view, server, transport, events }, bounds, why => {
      this.byId.delete(id);
      log.info({ why }, 'session ended');
    });
    this.byId.set(id, session);
    log.info(about, 'session');
    return session;
  }

  /** The principal's own; nobody learns of another's that it is there. @throws HttpRefusal 404 */
  find(id: string, principal: Principal): Session {
    const session = this.byId.get(id);
    if (session && session.principal.key === principal.key) return session;
    throw new HttpRefusal(
      404,
      'there is no such session (any more): begin a new one with initialize',
      RPC.noSession,
    );
  }

  /** No new ones. Whoever is connected is told. */
  drain(forS: number): void {
    this.closing = true;
    for (const { server } of this.byId.values()) announceEnd(server, forS);
  }

  endAll(why: string): void {
    clearInterval(this.timer);
    for (const session of [...this.byId.values()]) session.end(why);
  }

  private review(): void {
    const nowMs = performance.now();
    let unread = 0;
    let most: Session | undefined;
    for (const session of [...this.byId.values()]) {
      session.review(nowMs);
      unread += session.unreadBytes;
      if (!most || session.unreadBytes > most.unreadBytes) most = session;
    }
    if (unread > UNREAD_BYTES_MAX) most?.giveUp();
  }

  private requireRoom(principal: Principal): void {
    if (this.closing) {
      throw new HttpRefusal(503, 'the server is shutting down: no new sessions', undefined, {
        'Retry-After': '10',
      });
    }
    const { maxSessions } = this.engine.config;
    if (this.byId.size >= maxSessions) {
      for (const session of this.byId.values()) {
        if (session.isForsaken) session.end('its client is gone, and its room was wanted');
      }
    }
    const own = [...this.byId.values()].filter(({ principal: { key } }) => key === principal.key).length;
    const ownMax = principal.client === undefined ? maxSessions : Math.ceil(maxSessions / 2);
    if (this.byId.size < maxSessions && own < ownMax) return;
    throw new HttpRefusal(
      503,
      `${this.byId.size} sessions are open, ${own} of them yours, which is the limit; end one, or try again later`,
      undefined,
      { 'Retry-After': '30' },
    );
  }
}
