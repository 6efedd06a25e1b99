import type { EventStore } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import {
  isJSONRPCErrorResponse,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';

/** Of one session; its newest message is kept whatever its size (8 MiB at most). */
const SESSION_BYTES_MAX = 8 * 1024 * 1024;
const SESSION_EVENTS_MAX = 1000;
const TOTAL_BYTES_MAX = 64 * 1024 * 1024;
/** Of an event beside its message, about. */
const EVENT_BYTES = 200;
/** Streams that are remembered as cancelled: a client asks for one again within seconds, if at all. */
const CANCELLED_MAX = 64;

/** The stream of notifications; each other is that of an answer. */
const GENERAL_STREAM = '_GET_stream';
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
  /** Requests that are not answered yet, each with those of its batch that are not. */
  private readonly awaited = new Map<RequestId, Set<RequestId>>();
  /** Streams on which an answer is to come yet. */
  private readonly unanswered = new Set<string>();
  private number = 0;

  constructor(
    private readonly makeRoom: () => void,
    private readonly forget: () => void,
  ) {}

  /** Requests are about to be answered, on one stream. */
  expect(ids: readonly RequestId[]): void {
    const together = new Set(ids);
    for (const id of ids) this.awaited.set(id, together);
  }

  /** They will not be answered. */
  unexpect(ids: readonly RequestId[]): void {
    for (const id of ids) this.awaited.delete(id);
  }

  async storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const number = ++this.number;
    if (this.isLastAnswer(message)) this.unanswered.delete(stream);
    else if (stream !== GENERAL_STREAM) this.unanswered.add(stream);
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
    const isOver = stream !== GENERAL_STREAM && !this.unanswered.has(stream);
    if (isOver) this.finished.set(lastId, missed.length);
    return stream;
  }

  /**
   * Whether anything can come behind an event: not where this session never had it, where its stream's last answer was
   * had with it, or is kept no longer. What is no event's id at all is told so by the transport.
   */
  hasMoreAfter(lastId: string): boolean {
    const [, stream, number] = EVENT_ID.exec(lastId) ?? [];
    if (stream === undefined) return true;
    if (Number(number) > this.number) return false;
    if (stream === GENERAL_STREAM || this.unanswered.has(stream)) return true;
    return this.events.some(event => event.stream === stream && event.number > Number(number));
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
    this.unanswered.delete(stream);
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

  private isLastAnswer(message: JSONRPCMessage | object): boolean {
    if (!isJSONRPCResultResponse(message) && !isJSONRPCErrorResponse(message)) return false;
    const { id } = message;
    if (id === undefined) return false;
    const together = this.awaited.get(id);
    this.awaited.delete(id);
    together?.delete(id);
    return together?.size === 0;
  }

  private get isFull(): boolean {
    return this.bytes > SESSION_BYTES_MAX || this.events.length > SESSION_EVENTS_MAX;
  }
}
