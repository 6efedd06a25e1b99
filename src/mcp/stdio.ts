import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isInitializeRequest, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { Deferred } from '../deferred.js';
import { announceEnd } from './announce.js';
import { createShell } from './shell.js';
import { openStdio } from './stdio-pipes.js';

/** A client that was started together with the server has asked already; for another one nothing is held up. */
const ASKED_WITHIN_MS = 20;

/**
 * MCP on standard input and output, in two steps, so that a client has its first answer before most of the server is
 * loaded:
 *
 *   open     `initialize` is answered; every other message waits, and an end of the client is kept in mind.
 *   serving  entered by {@link StdioFront.serve}, which gives the server what it answers with: what waited is
 *            answered, in the order in which it came.
 */
export class StdioFront {
  private readonly server: Server;
  private readonly transport: Transport;
  private release = (): void => {};
  private gone: string | undefined;
  private onGone: ((how: string) => void) | undefined;

  private constructor(config: { replay: string }) {
    this.server = createShell(config);
    const gone = (how: string): void => {
      this.gone ??= how;
      this.onGone?.(how);
    };
    this.transport = openStdio(gone);
    // The transport closes itself when a message is larger than it takes (10 MiB): nothing more can be read then.
    this.server.onclose = () => gone('the transport closed');
  }

  static async open(config: { replay: string }): Promise<StdioFront> {
    const front = new StdioFront(config);
    const answered = untilSent(front.transport);
    await front.server.connect(front.transport);
    front.release = holdBack(front.transport);
    await Promise.race([answered, sleep(ASKED_WITHIN_MS)]);
    return front;
  }

  /**
   * @param furnish gives the server its handlers
   * @param onGone called when the client has gone: its end of either pipe is closed
   */
  serve(furnish: (server: Server) => void, onGone: (how: string) => void): void {
    furnish(this.server);
    this.onGone = onGone;
    if (this.gone !== undefined) onGone(this.gone);
    this.release();
  }

  /** Tells the client that what runs is ended within so many seconds. */
  announce(withinS: number): void {
    announceEnd(this.server, withinS);
  }

  /** Stops reading, so that the process can end. */
  async close(): Promise<void> {
    await this.transport.close();
  }
}

/** The first message is written. */
function untilSent(transport: Transport): Promise<void> {
  const sent = new Deferred();
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    await send(message, options);
    sent.resolve();
  };
  return sent.promise;
}

/**
 * From now on, what is no `initialize` waits.
 * @returns what ends that
 */
function holdBack(transport: Transport): () => void {
  const deliver = transport.onmessage;
  const held: JSONRPCMessage[] = [];
  transport.onmessage = (message, extra) => {
    if (isInitializeRequest(message)) deliver?.(message, extra);
    else held.push(message);
  };
  return () => {
    if (deliver) transport.onmessage = deliver;
    for (const message of held) deliver?.(message);
  };
}
