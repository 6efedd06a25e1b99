import type { IncomingMessage, ServerResponse } from 'node:http';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { readJson } from './body.js';
import { type Gate, principalOf } from './gate.js';
import { HttpRefusal, RPC } from './refuse.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';

const METHODS = ['POST', 'GET', 'DELETE'];
/** The last protocol that has batches; it is also what a request without the version's header is taken for. */
const BATCH_PROTOCOL = '2025-03-26';

/**
 * The protocol's endpoint. What can be refused is refused before the body is read; what the body says, before a session
 * is made for it; the rest is the SDK's transport's.
 */
export function mcpRoute(sessions: Sessions, bodyBytesMax: number) {
  return async (gate: Gate, req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { method = '' } = req;
    if (!METHODS.includes(method)) {
      throw new HttpRefusal(405, `${method} is not served here`, undefined, { Allow: METHODS.join(', ') });
    }
    const principal = principalOf(gate, req);
    const id = req.headers['mcp-session-id'];
    if (method !== 'POST') {
      if (typeof id !== 'string') throw noSessionGiven();
      return sessions.find(id, principal).handle(req, res);
    }
    // A session that is not there needs no body read.
    const known = typeof id === 'string' ? sessions.find(id, principal) : undefined;
    requireJson(req);
    const body = await readJson(req, res, bodyBytesMax);
    requireNoBatch(req, body);
    if (known) return known.handle(req, res, body);
    if (!isInitializeRequest(body)) throw noSessionGiven();
    return greet(await sessions.open(principal, aboutClient(req, body.params.clientInfo)), req, res, body);
  };
}

/** What the client says of itself is cut where it is no name any more. */
function aboutClient({ socket }: IncomingMessage, { name, version }: { name: string; version: string }) {
  const { remoteAddress } = socket;
  return {
    agent: `${name} ${version}`.slice(0, 80),
    ...(remoteAddress !== undefined && { from: remoteAddress }),
  };
}

/** A session in which nobody was greeted (a wrong Accept header, a version that is none) is none. */
async function greet(
  session: Session,
  req: IncomingMessage,
  res: ServerResponse,
  body: unknown,
): Promise<void> {
  try {
    await session.handle(req, res, body);
  } finally {
    if (!session.isInitialized) session.end('it was never begun');
  }
}

function requireJson(req: IncomingMessage): void {
  const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new HttpRefusal(415, 'the Content-Type has to be application/json');
  }
}

function requireNoBatch(req: IncomingMessage, body: unknown): void {
  if (!Array.isArray(body)) return;
  const version = req.headers['mcp-protocol-version'] ?? BATCH_PROTOCOL;
  if (version === BATCH_PROTOCOL && body.length > 0) return;
  throw new HttpRefusal(400, 'a batch is not taken: send each message by itself', RPC.invalid);
}

function noSessionGiven(): HttpRefusal {
  return new HttpRefusal(
    400,
    'the Mcp-Session-Id header is missing: begin with initialize, whose answer has it',
  );
}
