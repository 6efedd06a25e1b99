import { Console } from 'node:console';
import type { Readable, Writable } from 'node:stream';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

/**
 * The protocol's stdio transport on this process's own pipes.
 * @param onGone told when the client has gone: its end of either pipe is closed, or it reads nothing
 */
export function openStdio(onGone: (how: string) => void): StdioServerTransport {
  const { stdin, stdout } = claimStdio();
  stdin.once('end', () => onGone('end of standard input'));
  stdin.once('error', error => onGone(`standard input: ${error.message}`));
  stdout.once('error', error => onGone(`standard output: ${error.message}`));
  // Later errors of a pipe that has broken tell nothing new.
  stdout.on('error', () => {});
  return new BoundedStdio(stdin, stdout, () => onGone('the client does not read its answers'));
}

/** Answers that a client has not read yet, in bytes. The largest single one has 8 MiB. */
export const UNREAD_BYTES_MAX = 64 * 1024 * 1024;

/** The SDK's transport keeps whatever a client does not read; this one gives such a client up. */
class BoundedStdio extends StdioServerTransport {
  constructor(
    stdin: Readable,
    private readonly stdout: Writable,
    private readonly onUnread: () => void,
  ) {
    super(stdin, stdout);
  }

  override send(message: JSONRPCMessage): Promise<void> {
    if (this.stdout.writableLength > UNREAD_BYTES_MAX) {
      this.onUnread();
      return Promise.reject(new Error(`the client has left ${this.stdout.writableLength} bytes unread`));
    }
    // The SDK's own adds a listener for each message that waits; an error is told by the stream's own event.
    return new Promise(resolve => {
      this.stdout.write(serializeMessage(message), () => resolve());
    });
  }
}

/** Takes standard output for the protocol: whatever else writes to it from here on reaches standard error. */
function claimStdio(): { stdin: Readable; stdout: Writable } {
  const { stdin, stdout, stderr } = process;
  Object.defineProperty(process, 'stdout', { configurable: true, get: () => stderr });
  globalThis.console = new Console(stderr, stderr);
  return { stdin, stdout };
}
