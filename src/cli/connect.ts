import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from '../config.js';
import { Deferred } from '../deferred.js';
import { Bridge } from '../mcp/connect/bridge.js';
import type { Place } from '../mcp/connect/place.js';
import { openStdio } from '../mcp/stdio-pipes.js';
import { EXIT } from './exit-codes.js';

interface ConnectFlags {
  unix?: string;
  http?: string;
  tokenFile?: string;
}

/** Carries messages until the client goes away; its session ends with it. */
export async function connect(flags: ConnectFlags): Promise<number> {
  const place = placeOf(flags);
  const gone = new Deferred<string>();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => gone.resolve(signal));
  process.on('SIGPIPE', () => {});
  const client = openStdio(how => gone.resolve(how));
  client.onclose = () => gone.resolve('the transport closed');
  const bridge = new Bridge(
    place,
    client,
    text => void process.stderr.write(`bpftrace-mcp connect: ${text}\n`),
  );
  await client.start();
  await gone.promise;
  await bridge.end();
  // Whatever the client left open must not keep the process.
  process.exit(EXIT.ok);
}

function placeOf({ unix, http, tokenFile }: ConnectFlags): Place {
  const token = tokenFile === undefined ? {} : { token: tokenIn(tokenFile) };
  if (unix !== undefined) return { url: new URL('http://localhost/mcp'), socketPath: unix, ...token };
  if (!http || !URL.canParse(http) || !/^https?:$/.test(new URL(http).protocol)) {
    throw new ConfigError(`--http ${http}: must be a URL, such as http://127.0.0.1:7077/mcp`);
  }
  const url = new URL(http);
  if (url.pathname === '/') url.pathname = '/mcp';
  return { url, ...token };
}

function tokenIn(path: string): string {
  try {
    const { mode } = statSync(path);
    if ((mode & 0o007) !== 0) {
      throw new ConfigError(
        `--token-file ${path} has mode ${(mode & 0o777).toString(8)}: others can read it; chmod 600 it`,
      );
    }
    const token = readFileSync(path, 'utf8').trim();
    if (/^[\w.~+/=-]+$/.test(token)) return token;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`--token-file ${path}: ${error instanceof Error ? error.message : error}`);
  }
  throw new ConfigError(`--token-file ${path}: holds no token`);
}
