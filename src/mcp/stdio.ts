import { createMcpServer, type McpParts } from './server.js';
import { openStdio } from './stdio-pipes.js';

/**
 * Serves MCP on standard input and output.
 * @param onGone called once when the client has gone: its end of either pipe is closed
 */
export async function serveStdio(parts: McpParts, onGone: (how: string) => void): Promise<void> {
  const transport = openStdio(onGone);
  // The transport closes itself when a message is larger than it takes (10 MiB): nothing more can be read then.
  const server = createMcpServer(parts);
  server.onclose = () => onGone('the transport closed');
  await server.connect(transport);
}
