import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

/** What no server made with the SDK can do without: Node itself, and these two imports. */
if (!Server || !StdioServerTransport) throw new Error('the SDK has no server');
process.stdout.write(`${JSON.stringify({ id: 0, result: {} })}\n`);
