import { z } from 'zod';

/**
 * The settings of how the server is reached; {@link ../config.ts} has the others.
 */
const seconds = (min: number, max: number) => z.coerce.number().min(min).max(max);
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** A Unix socket's path has to fit into 107 bytes, and says so badly itself. */
export const SOCKET_PATH_BYTES_MAX = 107;
const ADDRESS = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[\w.-]+)):(?<port>\d{1,5})$/;

export const servingSettings = {
  stdio: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe(
      'serve on standard input and output, whose end ends the server; auto: without --http and --unix',
    ),
  http: z
    .string()
    .default('')
    .refine(
      text => text === '' || parseAddress(text) !== undefined,
      'must be HOST:PORT, such as 127.0.0.1:7077',
    )
    .describe('serve Streamable HTTP there, at /mcp; beyond loopback only with --tokens'),
  httpHosts: z
    .string()
    .default('')
    .describe(
      'names by which --http is reached beside loopback and its address, parted by commas: trace.example.com',
    ),
  tokens: z
    .string()
    .default('')
    .describe('a file of bearer tokens (`bpftrace-mcp token add`): over HTTP nobody is served without one'),
  unix: z
    .string()
    .default('')
    .refine(
      path => Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX,
      `must have at most ${SOCKET_PATH_BYTES_MAX} bytes: a socket's path is no longer`,
    )
    .describe('serve on a Unix socket at this path, to whom --unix-mode and --unix-group let open it'),
  unixMode: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'must be three octal digits, such as 660')
    .default('660')
    .describe("the socket's mode"),
  unixGroup: z
    .string()
    .default('')
    .describe("the socket's group, by name or number; without one, the server's own"),
  sessionIdleS: seconds(1, 604_800)
    .default(1800)
    .describe('a session is ended when its client has had no connection for so long, in seconds'),
  reconnectS: seconds(0, 3600)
    .default(30)
    .describe('the programs of a session whose last connection broke off run on for so long, in seconds'),
  drainS: seconds(0, 3600)
    .default(5)
    .describe(
      'with --http or --unix: how long programs that run may go on when the server is told to end, in seconds',
    ),
  maxSessions: whole(1, 100_000)
    .default(1024)
    .describe('sessions at once; the clients of one token hold at most half of them'),
  maxConnections: whole(1, 100_000)
    .default(1024)
    .describe('connections at once to --http, and as many to --unix; more are closed at once'),
};

export type ServingSetting = keyof typeof servingSettings;
export const servingNames = Object.keys(servingSettings) as ServingSetting[];

export function parseAddress(text: string): { host: string; port: number } | undefined {
  const { v6, name, port } = ADDRESS.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** Whether an address to listen at is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
