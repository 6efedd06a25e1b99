import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpRefusal, RPC } from './refuse.js';

/**
 * A request's body as JSON. One that is too long is refused before it is read where its length is declared, and as
 * soon as it is too long where it is not.
 * @throws HttpRefusal 413, 400
 */
export async function readJson(
  req: IncomingMessage,
  res: ServerResponse,
  bytesMax: number,
): Promise<unknown> {
  const tooLong = (): HttpRefusal => new HttpRefusal(413, `the body has more than ${bytesMax} bytes`);
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) throw tooLong();
  if (/^100-continue$/i.test(req.headers.expect ?? '')) res.writeContinue();
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      req.removeAllListeners('data');
      reject(tooLong());
    });
    req.once('end', resolve);
    const endedEarly = (): void => {
      // An error costs a stack, and every request closes.
      if (!req.complete) reject(new HttpRefusal(400, 'the body ended early'));
    };
    req.once('close', endedEarly);
    req.once('error', endedEarly);
  });
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpRefusal(400, 'the body is no JSON', RPC.parse);
  }
}
