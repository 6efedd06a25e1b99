import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';

/** What any server on this SDK holds: it serves no tool, and waits. */
await new McpServer({ name: 'bare', version: '1' }).connect(new StdioServerTransport());
