import type { ServerResponse } from 'node:http';

/**
 * Writes an answer of the SDK's transport to a connection. It is read as fast as it is made, so that what a client
 * leaves unread lies in the connection, where it is counted, and not in the stream, where nobody would see it.
 * @param onWritten called after each write, with what was written; it may destroy the connection
 * @param chunksMax ends after so many parts; absent: when the answer ends
 */
export async function streamOut(
  answer: Response,
  res: ServerResponse,
  onWritten: (chunk: Uint8Array) => void,
  chunksMax = Number.POSITIVE_INFINITY,
): Promise<void> {
  if (res.destroyed) {
    await answer.body?.cancel();
    return;
  }
  res.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (!answer.body) {
    res.end();
    return;
  }
  // The client is to know at once that its stream is there, also when nothing is said for a while.
  res.flushHeaders();
  const reader = answer.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  res.once('close', stop);
  for (let chunks = 0; chunks < chunksMax; chunks++) {
    const { done, value } = await reader.read();
    if (done || res.destroyed) break;
    res.write(value);
    onWritten(value);
  }
  res.off('close', stop);
  stop();
  res.end();
}
