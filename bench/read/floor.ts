import { createInterface } from 'node:readline';

/**
 * What any server on Node pays for replies of this size: it makes none, keeps one, and writes it for each request.
 * Argument: bytes of a reply.
 */
const text = 'x'.repeat(Number(process.argv[2]));
createInterface({ input: process.stdin }).on('line', line => {
  const { id } = JSON.parse(line);
  if (id !== undefined)
    process.stdout.write(`{"result":{"text":"${text}","lines_returned":1000},"jsonrpc":"2.0","id":${id}}\n`);
});
