import type { IncomingMessage, ServerResponse } from 'node:http';

/** JSON-RPC's codes for what is wrong before a message reaches a session. */
export const RPC = { parse: -32700, invalid: -32600, refused: -32000, noSession: -32001 } as const;

/** Why a request is not served: the status, and words for whoever reads the answer. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';

  constructor(
    readonly status: number,
    message: string,
    readonly code: number = RPC.refused,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** A client that goes on sending what nobody wants is cut off after so much, or so long. */
const LINGER_BYTES = 256 * 1024;
const LINGER_MS = 1000;

/**
 * Answers with the reason, as a JSON-RPC error. Where the body has not been read, the connection ends: but only after
 * the client had a chance to read the answer, which a closed connection would take from it.
 */
export function refuse(req: IncomingMessage, res: ServerResponse, refusal: HttpRefusal): void {
  if (res.headersSent || res.destroyed) return;
  const { headers } = req;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const isUnread = hasBody && !req.complete;
  const body = JSON.stringify({
    jsonrpc: '2.0',
    error: { code: refusal.code, message: refusal.message },
    id: null,
  });
  res.writeHead(refusal.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...refusal.headers,
    ...(isUnread && { Connection: 'close' }),
  });
  if (!isUnread) {
    res.end(body);
    return;
  }
  res.write(body);
  let left = LINGER_BYTES;
  const end = (): void => {
    clearTimeout(timer);
    res.end();
    req.destroy();
  };
  const timer = setTimeout(end, LINGER_MS);
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) end();
  });
  req.once('end', end).once('error', end);
}
