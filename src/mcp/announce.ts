import type { Server } from '@modelcontextprotocol/sdk/server/index.js';

/** Tells a client that the server is about to end: a log notification, which nobody has to ask for. */
export function announceEnd(server: Server, withinS: number): void {
  const message = {
    level: 'warning' as const,
    logger: 'bpftrace-mcp',
    data: `the server is shutting down: no more programs are taken, those that waited are stopped, and what runs is ended within ${withinS} s; read your results now`,
  };
  // Who is not connected can't be told; whoever asks later is.
  server.sendLoggingMessage(message).catch(() => {});
}
