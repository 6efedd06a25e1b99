import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TraceEngine } from '../../engine/index.js';
import type { Metrics } from '../../metrics/metrics.js';
import { parseAddress } from '../../serving.js';
import type { TokenFile } from '../../tokens/token-file.js';
import { type Gate, type Route, requireOwnSite } from './gate.js';
import { mcpRoute } from './mcp-route.js';
import { healthRoute, metricsRoute, readyRoute } from './operator-routes.js';
import { HttpRefusal, refuse } from './refuse.js';
import { Sessions } from './sessions.js';
import { ListenError, listenUnix } from './unix-socket.js';

/** Whoever sends its headers, or its body, drop by drop is cut off. */
const HEADERS_WITHIN_MS = 5000;
const REQUEST_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1000;
const HEADER_BYTES_MAX = 16 * 1024;
const LAST_ANSWERS_WITHIN_MS = 1000;
/** A client's connections are used again for the next request. */
const IDLE_CONNECTION_MS = 60_000;
/** A program as JSON may take six bytes for each of its own, and has arguments beside it. */
const BODY_BYTES_MIN = 1024 * 1024;
const BODY_FACTOR = 6;

/** Where it is reached. */
export interface Listening {
  /** The endpoint's URL. */
  http?: string;
  /** The socket's path. */
  unix?: string;
}

interface HttpParts {
  engine: TraceEngine;
  log: Logger;
  tokens: TokenFile | undefined;
  /** Told of the engine's events by whoever made it. */
  metrics: Metrics;
}

/** Many clients at once, over HTTP on TCP and on a Unix socket; each session has an MCP server of its own. */
export class HttpFront {
  private readonly servers: Server[] = [];
  private readonly sessions: Sessions;
  private readonly routes: Map<string, Route>;
  private removeSocket = (): void => {};

  constructor(private readonly parts: HttpParts) {
    const { engine, log, metrics } = parts;
    this.sessions = new Sessions(engine, log);
    const bodyBytesMax = Math.max(BODY_BYTES_MIN, 2 * BODY_FACTOR * engine.config.maxProgramBytes);
    this.routes = new Map<string, Route>([
      ['/mcp', mcpRoute(this.sessions, bodyBytesMax)],
      ['/healthz', healthRoute],
      ['/readyz', readyRoute(() => engine.state)],
      ['/metrics', metricsRoute(metrics)],
    ]);
    metrics.observe({ state: () => engine.state, sessions: () => this.sessions.count });
  }

  /** Wherever the settings say. @throws ListenError */
  async listen(): Promise<Listening> {
    const { http, unix } = this.parts.engine.config;
    try {
      return {
        ...(http !== '' && { http: await this.listenTcp() }),
        ...(unix !== '' && { unix: await this.listenUnix() }),
      };
    } catch (error) {
      // The one place that could be had would keep the process.
      for (const server of this.servers) {
        server.close();
        server.closeAllConnections();
      }
      throw error;
    }
  }

  private async listenTcp(): Promise<string> {
    const { config } = this.parts.engine;
    const { host, port } = parseAddress(config.http) ?? { host: '127.0.0.1', port: 0 };
    const hosts = config.httpHosts.split(',').map(name => name.trim().toLowerCase());
    const server = this.boundedServer({
      kind: 'http',
      hosts: hosts.filter(Boolean),
      tokens: this.parts.tokens,
    });
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new ListenError(`--http ${config.http}: ${error instanceof Error ? error.message : error}`);
    }
    const { address, port: actual } = server.address() as AddressInfo;
    return `http://${address.includes(':') ? `[${address}]` : address}:${actual}/mcp`;
  }

  private async listenUnix(): Promise<string> {
    const { unix: path, unixMode: mode, unixGroup: group } = this.parts.engine.config;
    const server = this.boundedServer({ kind: 'unix', hosts: [], tokens: this.parts.tokens });
    this.removeSocket = await listenUnix(server, { path, mode, group });
    return path;
  }

  /** No new sessions; those that are there go on, and are told that the server ends. */
  drain(forS: number): void {
    this.sessions.drain(forS);
  }

  /** Ends all sessions, when what was asked has been answered; a client that reads nothing is not waited for. */
  async close(): Promise<void> {
    this.removeSocket();
    for (const server of this.servers) server.close();
    const until = performance.now() + LAST_ANSWERS_WITHIN_MS;
    while (this.sessions.isAnswering && performance.now() < until) await sleep(10);
    this.sessions.endAll('the server is shutting down');
  }

  private boundedServer(gate: Gate): Server {
    const server = createServer(
      {
        headersTimeout: HEADERS_WITHIN_MS,
        requestTimeout: REQUEST_WITHIN_MS,
        connectionsCheckingInterval: LOOK_EVERY_MS,
        maxHeaderSize: HEADER_BYTES_MAX,
        keepAliveTimeout: IDLE_CONNECTION_MS,
        // A client that vanished without a word is found out.
        keepAlive: true,
        keepAliveInitialDelay: IDLE_CONNECTION_MS,
      },
      (req, res) => void this.handle(gate, req, res),
    );
    server.maxConnections = this.parts.engine.config.maxConnections;
    // Not told to go on before it was looked at.
    server.on('checkContinue', (req, res) => void this.handle(gate, req, res));
    this.servers.push(server);
    return server;
  }

  private async handle(gate: Gate, req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      requireOwnSite(gate, req);
      const path = (req.url ?? '').split('?', 1)[0] ?? '';
      const route = this.routes.get(path);
      if (!route) {
        const paths = [...this.routes.keys()].join(', ');
        throw new HttpRefusal(
          404,
          `there is nothing at ${JSON.stringify(path.slice(0, 80))}; there is ${paths}`,
        );
      }
      await route(gate, req, res);
    } catch (error) {
      if (!(error instanceof HttpRefusal)) this.parts.log.error({ err: error }, 'an HTTP request failed');
      const refusal =
        error instanceof HttpRefusal
          ? error
          : new HttpRefusal(500, 'a fault of the server; its log says more');
      this.parts.metrics.httpRefused(refusal.status);
      refuse(req, res, refusal);
    }
  }
}
