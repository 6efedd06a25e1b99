import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientTerms } from '../../engine/index.js';
import { hasExpired, type Token } from '../../tokens/token.js';
import type { TokenFile } from '../../tokens/token-file.js';
import { HttpRefusal } from './refuse.js';

/** Who asks. A session belongs to the principal that made it, and is unknown to every other. */
export interface Principal {
  /** By which one is told from another. */
  readonly key: string;
  /** The engine's client that all sessions of this principal are; without one, each session is a client of its own. */
  readonly client?: string;
  readonly terms: ClientTerms;
  /** False once its token was removed or changed, or has expired. */
  holds(): boolean;
}

export interface Gate {
  /** Where it listens, as the names of clients show it. */
  readonly kind: 'http' | 'unix';
  /** By what names the server is reached, beside loopback and the address itself; lower case. */
  readonly hosts: readonly string[];
  readonly tokens: TokenFile | undefined;
}

/** Answers one path; what it throws as an HttpRefusal is the answer. */
export type Route = (gate: Gate, req: IncomingMessage, res: ServerResponse) => Promise<void> | void;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * A browser can be led here by a page that is not ours: its requests carry that page's Origin, and, where the page's
 * own name was made to point here (DNS rebinding), that name as the Host. No browser reaches a Unix socket.
 * @throws HttpRefusal 403
 */
export function requireOwnSite({ kind, hosts }: Gate, req: IncomingMessage): void {
  if (kind === 'unix') return;
  const host = (req.headers.host ?? '').toLowerCase();
  const name = host.replace(/:\d+$/, '');
  const address = req.socket.localAddress ?? '';
  const own = LOOPBACK.test(name) || hosts.includes(name) || name === addressAsHost(address);
  if (!own) {
    throw new HttpRefusal(
      403,
      `this server is not ${JSON.stringify(name.slice(0, 80))}: reach it by its address, or have the operator add the name to --http-hosts`,
    );
  }
  const { origin } = req.headers;
  if (origin === undefined) return;
  if (origin.toLowerCase() === `http://${host}` || origin.toLowerCase() === `https://${host}`) return;
  throw new HttpRefusal(403, `pages of ${JSON.stringify(origin.slice(0, 80))} are not served`);
}

function addressAsHost(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}

/**
 * Over HTTP, whoever has a token of the file, or anybody on this machine where there is no file. On the Unix socket the
 * socket's mode has decided already; a token still says who it is.
 * @throws HttpRefusal 401
 */
export function principalOf({ kind, tokens }: Gate, req: IncomingMessage): Principal {
  const { authorization } = req.headers;
  if (authorization === undefined || !tokens) {
    if (kind === 'http' && tokens)
      throw unauthorized('a bearer token is needed; the operator makes one with `bpftrace-mcp token add`');
    return { key: kind, terms: {}, holds: () => true };
  }
  const [, presented] = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(authorization) ?? [];
  const token = presented === undefined ? undefined : tokens.find(presented);
  if (!token) throw unauthorized('this token is not known here', 'invalid_token');
  if (hasExpired(token)) throw unauthorized(`this token has expired (${token.expires})`, 'invalid_token');
  return {
    key: `token:${token.name}`,
    client: `token:${token.name}`,
    terms: termsOf(token),
    holds: () => tokens.holds(token),
  };
}

function termsOf({ policy, limits = {} }: Token): ClientTerms {
  const { concurrent, open, per_minute: perMinute, result_bytes: resultBytes } = limits;
  return {
    ...(policy && { policy }),
    limits: {
      ...(concurrent && { concurrent }),
      ...(open && { open }),
      ...(perMinute && { perMinute }),
      ...(resultBytes && { resultBytes }),
    },
  };
}

/** As RFC 6750 has it: the error's code only where a token was presented. */
function unauthorized(message: string, error?: 'invalid_token'): HttpRefusal {
  const challenge = error ? `, error="${error}", error_description="${message}"` : '';
  return new HttpRefusal(401, message, undefined, {
    'WWW-Authenticate': `Bearer realm="bpftrace-mcp"${challenge}`,
  });
}
