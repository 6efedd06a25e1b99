import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import type { ClientView } from '../engine/index.js';
import type { Progress } from './progress.js';
import { servePrompts } from './prompts/serve.js';
import { serveResources } from './resources.js';
import { createShell } from './shell.js';
import { Tasks } from './tasks.js';
import { refusalReply, type Tool, type ToolContext } from './tool.js';
import { allTools } from './tools/index.js';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export interface McpParts {
  client: ClientView;
  config: Config;
  log: Logger;
}

interface Tools {
  byName: ReadonlyMap<string, Tool>;
  /** As `tools/list` shows them: costs some milliseconds, which not every client has to wait for. */
  listed: () => ReturnType<typeof describeTool>[];
}

const toolsByConfig = new WeakMap<Config, Tools>();

/** The same for every session of a server. */
function toolsOf(config: Config): Tools {
  const known = toolsByConfig.get(config);
  if (known) return known;
  const tools = allTools(config);
  let listed: ReturnType<typeof describeTool>[] | undefined;
  const made = {
    byName: new Map(tools.map(tool => [tool.name, tool])),
    listed: () => {
      listed ??= tools.map(describeTool);
      return listed;
    },
  };
  toolsByConfig.set(config, made);
  return made;
}

/** One MCP server for one client. */
export function createMcpServer(parts: McpParts): Server {
  const server = createShell(parts.config);
  furnish(server, parts);
  return server;
}

/** Gives a shell all that it answers with. */
export function furnish(server: Server, { client, config, log }: McpParts): void {
  const { byName, listed } = toolsOf(config);
  serveResources(server, client);
  servePrompts(server, client);
  const tasks = new Tasks(server, client, config.resultTtlS * 1000);
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listed() }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const { name, arguments: args } = params;
    const tool = byName.get(name);
    if (!tool) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `there is no tool ${JSON.stringify(name.slice(0, 80))}; there are ${[...byName.keys()].join(', ')}`,
      );
    }
    const context = { client, config, signal: extra.signal, progress: progressOf(extra) };
    if (params.task) return beginTask(tool, args, context, tasks);
    try {
      return await tool.call(args, context);
    } catch (error) {
      log.error({ tool: name, err: error }, 'a tool failed');
      return refusalReply(
        new Refusal(
          'internal',
          `${name} failed: ${error instanceof Error ? error.message : String(error)}`,
          'this is a fault of the server; its log says more',
        ),
      );
    } finally {
      // Whoever calls a tool may run a program next, however long the last one was ago.
      client.keepReady();
    }
  });
  server.oninitialized = () => client.keepReady();
  server.onerror = error => log.warn({ err: error }, 'MCP transport');
}

/** A refusal is a protocol error here: the answer to a call as a task has no place for a tool error. */
function beginTask(tool: Tool, args: unknown, context: ToolContext, tasks: Tasks) {
  if (!tool.begin) {
    throw new McpError(
      ErrorCode.MethodNotFound,
      `${tool.name} can't be called as a task: it answers at once`,
    );
  }
  try {
    const { id, window } = tool.begin(args, context);
    return tasks.begin(id, window, context.progress);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message, next, details } = error;
    throw new McpError(ErrorCode.InvalidParams, `${code}: ${message}; ${next}`, { code, ...details });
  }
}

function progressOf({ _meta, sendNotification }: Extra): Progress {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return params => {
    // A client that has gone away is noticed elsewhere.
    sendNotification({ method: 'notifications/progress', params: { progressToken, ...params } }).catch(
      () => {},
    );
  };
}

/** A tool as `tools/list` shows it. */
export function describeTool(tool: Tool) {
  const { name, title, description, annotations } = tool;
  return {
    name,
    title,
    description,
    annotations,
    ...(tool.begin && { execution: { taskSupport: 'optional' as const } }),
    inputSchema: { ...z.toJSONSchema(tool.input.strict(), { io: 'input' }), type: 'object' as const },
    outputSchema: { ...z.toJSONSchema(tool.output, { io: 'output' }), type: 'object' as const },
  };
}
