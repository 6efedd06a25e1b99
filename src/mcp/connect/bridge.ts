import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  ErrorCode,
  isInitializeRequest,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { fetchOf, nameOf, type Place, ServerRefusal, troubleWith } from './place.js';
import { Upstream } from './upstream.js';

const CONNECTION_CLOSED = -32000;
const GONE = 'executions, subscriptions and tasks of before are gone';
/** A server that does not greet back within this is none. */
const GREETING_WITHIN_MS = 20_000;

/**
 * Carries messages between a client on stdio and a session of a shared server. It knows of the protocol only what it has
 * to: which requests are unanswered, and how the client greeted.
 *
 *   none    before the client's `initialize`, and after a session was lost
 *   open    there is a session: messages go through, in their order
 *
 * A session is lost when the server does not know it any more (it was restarted, or had ended it) or is not there. Every
 * unanswered request is answered with an error then. With the next message of the client a new session is begun, with
 * its own greeting said again; the first call of a tool in it is answered with an error that tells that what was there
 * before is gone, since an agent would look for it in vain.
 */
export class Bridge {
  private upstream: Upstream | undefined;
  private greeting: JSONRPCRequest | undefined;
  private readonly unanswered = new Map<RequestId, JSONRPCRequest>();
  /** Why the last session was lost, until the agent has been told. */
  private untold: string | undefined;
  private greetings = 0;
  private order = Promise.resolve();
  private readonly fetch;

  /** @param say what a person who looks at standard error wants to know */
  constructor(
    private readonly place: Place,
    private readonly client: Transport,
    private readonly say: (text: string) => void,
  ) {
    this.fetch = fetchOf(place);
    // One after the other: a cancellation must not overtake what it cancels.
    client.onmessage = message => {
      this.order = this.order.then(() => this.fromClient(message));
    };
  }

  /** The client has gone: its session ends. */
  async end(): Promise<void> {
    await this.upstream?.end();
  }

  private async fromClient(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCRequest(message)) this.unanswered.set(message.id, message);
    try {
      if (isJSONRPCRequest(message) && isInitializeRequest(message)) {
        await this.upstream?.end();
        this.upstream = undefined;
        this.greeting = message;
        await this.open(message);
        return;
      }
      if (!this.greeting) {
        if (isJSONRPCRequest(message))
          this.refuse(message, 'nothing goes before initialize', 'send it first');
        return;
      }
      if (!this.upstream) await this.greetAgain(this.greeting);
      if (isJSONRPCRequest(message) && message.method === 'tools/call' && this.untold !== undefined) {
        const why = this.untold;
        this.untold = undefined;
        this.refuse(message, `${why}; ${GONE}, and this call was not made`, 'make it again');
        return;
      }
      await this.upstream?.send(message);
    } catch (error) {
      if (!isJSONRPCRequest(message)) return;
      // What goes deep enough can be read, and not be written again: the stack ends.
      if (error instanceof RangeError) {
        const next = 'give what the tool takes, as tools/list shows it';
        this.refuse(message, 'it is nested too deeply to be passed on', next, 'invalid_argument');
        return;
      }
      const { message: text, next } = troubleWith(this.place, error);
      this.refuse(message, text, next);
    }
  }

  /** Returns when the server has greeted back. @param isOwn said again: its answer is none for the client */
  private async open(greeting: JSONRPCRequest, isOwn = false): Promise<void> {
    let greeted: (() => void) | undefined;
    const answered = new Promise<void>(resolve => {
      greeted = resolve;
    });
    const upstream = new Upstream(this.place, this.fetch, greeting.id, {
      onMessage: message => {
        const isAnswer = isAnswerTo(greeting.id, message);
        if (isAnswer) greeted?.();
        if (!isAnswer || !isOwn) this.toClient(message);
      },
      onLost: error => this.lost(error),
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it does not answer')), GREETING_WITHIN_MS);
    });
    try {
      await upstream.start();
      // Whoever hangs takes connections, and no more.
      await Promise.race([upstream.send(greeting).then(() => answered), late]);
    } catch (error) {
      void upstream.end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.upstream = upstream;
    this.say(`connected to ${nameOf(this.place)}`);
  }

  private async greetAgain(greeting: JSONRPCRequest): Promise<void> {
    await this.open({ ...greeting, id: `connect-${++this.greetings}` }, true);
    await this.upstream?.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  private toClient(message: JSONRPCMessage): void {
    if ((isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) && message.id !== undefined) {
      this.unanswered.delete(message.id);
    }
    this.client.send(message).catch(() => {});
  }

  private lost(error: unknown): void {
    this.upstream = undefined;
    const restarted = error instanceof ServerRefusal && error.status === 404;
    const { message, next } = troubleWith(this.place, error);
    const why = restarted
      ? `the shared server at ${nameOf(this.place)} was restarted, or has ended this session`
      : message;
    this.say(why);
    const waiting = [...this.unanswered.values()];
    // Whoever waits for a tool is told now; otherwise the next one is.
    this.untold = waiting.some(isPlainCall) ? undefined : why;
    for (const request of waiting) {
      this.refuse(request, `${why} while this call waited; ${GONE}`, restarted ? 'make it again' : next);
    }
  }

  /** As a tool error, where it can be: that is what agents read. */
  private refuse(request: JSONRPCRequest, message: string, next: string, code = 'connection_lost'): void {
    // It may have been answered when its session was lost.
    if (!this.unanswered.delete(request.id)) return;
    const { id } = request;
    const jsonRpcCode = code === 'invalid_argument' ? ErrorCode.InvalidParams : CONNECTION_CLOSED;
    const text = `${code}: ${message}\nNext: ${next}`;
    this.client
      .send(
        isPlainCall(request)
          ? { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], isError: true } }
          : { jsonrpc: '2.0', id, error: { code: jsonRpcCode, message: `${message}; ${next}` } },
      )
      .catch(() => {});
  }
}

/** A call whose answer is a tool's: as a task it would be a task. */
function isPlainCall({ method, params }: JSONRPCRequest): boolean {
  return method === 'tools/call' && params?.task === undefined;
}

function isAnswerTo(id: RequestId, message: JSONRPCMessage): boolean {
  return (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) && message.id === id;
}
