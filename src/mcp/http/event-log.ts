import type { EventStore } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
} from '@modelcontextprotocol/sdk/types.js';

/** Of one session; its newest message is kept whatever its size (8 MiB at most). */
const SESSION_BYTES_MAX = 8 * 1024 * 1024;
const SESSION_EVENTS_MAX = 1000;
const TOTAL_BYTES_MAX = 64 * 1024 * 1024;
/** Of an event beside its message, about. */
const EVENT_BYTES = 200;
/** Streams that are remembered as cancelled: a client asks for one again within seconds, if at all. */
const CANCELLED_MAX = 64;

/** The stream it was sent on, and its number in the session. */
const EVENT_ID = /^(_GET_stream|[0-9a-f-]{36})~(\d{1,15})$/;
/** How the stream of an answer begins, for clients that can ask for what they missed. */
const BEGIN = /^id: ([0-9a-f-]{36})~\d/;

interface Event {
  number: number;
  stream: string;
  message: JSONRPCMessage;
  bytes: number;
}

/** What clients may have missed when a connection broke, of all sessions, in a bounded room: the oldest go first. */
export class EventLog {
  private readonly sessions = new Set<SessionEvents>();

  constructor(private readonly bytesMax = TOTAL_BYTES_MAX) {}

  open(): SessionEvents {
    const events = new SessionEvents(
      () => this.makeRoom(),
      () => this.sessions.delete(events),
    );
    this.sessions.add(events);
    return events;
  }

  get bytes(): number {
    let bytes = 0;
    for (const session of this.sessions) bytes += session.bytes;
    return bytes;
  }

  /** Whoever holds most gives. */
  private makeRoom(): void {
    for (let over = this.bytes - this.bytesMax; over > 0; ) {
      let most: SessionEvents | undefined;
      for (const session of this.sessions) if (!most || session.bytes > most.bytes) most = session;
      const given = most?.dropOldest() ?? 0;
      if (given === 0) return;
      over -= given;
    }
  }
}

/** Those of one session, as the SDK's transport keeps and asks for them: nobody else's can be asked for here. */
export class SessionEvents implements EventStore {
  bytes = 0;
  private readonly events: Event[] = [];
  private readonly finished = new Map<string, number>();
  private readonly cancelled = new Set<string>();
  private number = 0;

  constructor(
    private readonly makeRoom: () => void,
    private readonly forget: () => void,
  ) {}

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const number = ++this.number;
    // Without a message it only tells the client where its stream begins.
    if ('jsonrpc' in message) {
      const bytes = EVENT_BYTES + JSON.stringify(message).length;
      this.events.push({ number, stream, message, bytes });
      this.bytes += bytes;
      while (this.events.length > 1 && this.isFull) this.dropOldest();
      this.makeRoom();
    }
    return `${stream}~${number}`;
  }

  async getStreamIdForEventId(id: string): Promise<string | undefined> {
    return EVENT_ID.exec(id)?.[1];
  }

  async replayEventsAfter(
    lastId: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const [, stream = '', number] = EVENT_ID.exec(lastId) ?? [];
    const missed = this.events.filter(event => event.stream === stream && event.number > Number(number));
    for (const event of missed) await send(`${stream}~${event.number}`, event.message);
    const answered = missed.some(
      ({ message }) => isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message),
    );
    if (answered) this.finished.set(lastId, missed.length);
    return stream;
  }

  /**
   * How many messages a replay had that ended with the stream's answer, behind which nothing more will come; undefined
   * for any other. It can be asked once.
   */
  takeFinished(lastId: string): number | undefined {
    const messages = this.finished.get(lastId);
    this.finished.delete(lastId);
    return messages;
  }

  /** Nothing more comes on a stream. @param begin its first bytes */
  cancel(begin: string): void {
    const stream = BEGIN.exec(begin)?.[1];
    if (stream === undefined) return;
    this.cancelled.add(stream);
    for (const oldest of this.cancelled) {
      if (this.cancelled.size <= CANCELLED_MAX) break;
      this.cancelled.delete(oldest);
    }
  }

  isCancelled(lastId: string): boolean {
    return this.cancelled.has(EVENT_ID.exec(lastId)?.[1] ?? '');
  }

  /** @returns the bytes that were given back */
  dropOldest(): number {
    const bytes = this.events.shift()?.bytes ?? 0;
    this.bytes -= bytes;
    return bytes;
  }

  close(): void {
    this.events.length = 0;
    this.bytes = 0;
    this.forget();
  }

  private get isFull(): boolean {
    return this.bytes > SESSION_BYTES_MAX || this.events.length > SESSION_EVENTS_MAX;
  }
}
