import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EngineState } from '../../engine/index.js';
import type { Metrics } from '../../metrics/metrics.js';
import { type Gate, principalOf, type Route } from './gate.js';
import { HttpRefusal } from './refuse.js';

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** The process lives. Whoever reaches the server may ask. */
export const healthRoute: Route = (_gate, req, res) => {
  requireGet(req);
  answer(req, res, 200, 'application/json', `${JSON.stringify({ status: 'ok' })}\n`);
};

/** Whether programs are taken now, and if not, why. Whoever reaches the server may ask. */
export function readyRoute(state: () => EngineState): Route {
  return (_gate, req, res) => {
    requireGet(req);
    const { obstacles } = state();
    const missing = obstacles.map(({ code, message, next }) => ({ code, message, next }));
    const ready = missing.length === 0;
    const body = `${JSON.stringify({ ready, ...(!ready && { missing }) })}\n`;
    answer(req, res, ready ? 200 : 503, 'application/json', body);
  };
}

/**
 * The numbers, for whoever may open the Unix socket, asks from this machine, or has a token. What a proxy has passed
 * on does not come from this machine, whatever its connection says.
 */
export function metricsRoute(metrics: Metrics): Route {
  return async (gate, req, res) => {
    requireGet(req);
    if (!isFromHere(gate, req)) {
      if (!gate.tokens) throw new HttpRefusal(403, 'the metrics are told on this machine only');
      principalOf(gate, req);
    }
    answer(req, res, 200, metrics.contentType, await metrics.text());
  };
}

function isFromHere({ kind }: Gate, { headers, socket }: IncomingMessage): boolean {
  if (kind === 'unix') return true;
  const isLocal = /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/.test(socket.remoteAddress ?? '');
  return isLocal && FORWARDED.every(name => headers[name] === undefined);
}

function requireGet({ method }: IncomingMessage): void {
  if (method === 'GET' || method === 'HEAD') return;
  throw new HttpRefusal(405, `${method} is not served here`, undefined, { Allow: 'GET, HEAD' });
}

function answer(
  { method }: IncomingMessage,
  res: ServerResponse,
  status: number,
  type: string,
  body: string,
): void {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  res.end(method === 'HEAD' ? undefined : body);
}
