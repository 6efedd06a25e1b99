import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  InitializeResultSchema,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { type Place, ServerRefusal } from './place.js';

/** While the server lives, a stream that broke is taken up again; a server that does not is noticed by the first try. */
const RECONNECTION = {
  initialReconnectionDelay: 500,
  maxReconnectionDelay: 5000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 20,
};
const GOODBYE_WITHIN_MS = 2000;

interface UpstreamEvents {
  onMessage: (message: JSONRPCMessage) => void;
  /** A session that was begun is gone, and every request in it unanswered. Told once. */
  onLost: (error: unknown) => void;
}

/** One session with the shared server, from the greeting to the loss of it. */
export class Upstream {
  private readonly transport: StreamableHTTPClientTransport;
  private greeted = false;
  private closed = false;

  constructor(
    place: Place,
    fetch: FetchLike,
    /** Of the client's `initialize`. */
    private readonly greetingId: RequestId,
    private readonly events: UpstreamEvents,
  ) {
    this.transport = new StreamableHTTPClientTransport(place.url, {
      reconnectionOptions: RECONNECTION,
      fetch: async (url, init) => {
        try {
          return await fetch(url, init);
        } catch (error) {
          if (isLoss(error)) this.lose(error);
          throw error;
        }
      },
    });
    this.transport.onmessage = message => this.received(message);
  }

  /** Opens it. */
  async start(): Promise<void> {
    await this.transport.start();
  }

  /** When this returns, the server has the message. */
  send(message: JSONRPCMessage): Promise<void> {
    return this.transport.send(message);
  }

  /** Ends the session, and with it what was submitted in it. */
  async end(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const late = new Promise<void>(resolve => setTimeout(resolve, GOODBYE_WITHIN_MS).unref());
    await Promise.race([this.transport.terminateSession().catch(() => {}), late]);
    await this.transport.close();
  }

  private lose(error: unknown): void {
    if (this.closed) return;
    this.closed = true;
    void this.transport.close();
    if (this.greeted) this.events.onLost(error);
  }

  private received(message: JSONRPCMessage): void {
    if (isJSONRPCResultResponse(message) && message.id === this.greetingId) {
      this.greeted = true;
      const { success, data } = InitializeResultSchema.safeParse(message.result);
      if (success) this.transport.setProtocolVersion(data.protocolVersion);
    }
    if (!this.closed) this.events.onMessage(message);
  }
}

/** The server does not know the session (any more), does not know us, or nobody listens. Anything else may pass. */
function isLoss(error: unknown): boolean {
  if (error instanceof ServerRefusal) return error.status === 404 || error.status === 401;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EACCES';
}
