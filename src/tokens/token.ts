import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { PROFILES } from '../policy/policy.js';

/**
 * A bearer token is 256 bits of chance behind a mark by which scanners for secrets know it. What has to be kept of it
 * is its SHA-256: nobody can try 2^256 of them, so a slow hash would only make each request slow.
 */
const MARK = 'bpft_';
const TOKEN_BYTES = 32;

export function newToken(): string {
  return `${MARK}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export const TOKEN_NAME = /^[A-Za-z0-9][\w.@-]{0,63}$/;
const most = z.number().int().min(1).optional();

/** A line of a token file. */
export const tokenSchema = z.strictObject({
  name: z.string().regex(TOKEN_NAME, 'must be letters, digits, and . _ @ - within, 64 at most'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  /** The narrower one of this and the server's holds. */
  policy: z.enum(PROFILES).optional(),
  expires: z.iso.datetime({ offset: true }).optional(),
  limits: z.strictObject({ concurrent: most, open: most, per_minute: most, result_bytes: most }).optional(),
});
export type Token = Readonly<z.output<typeof tokenSchema>>;

export function hasExpired({ expires }: Pick<Token, 'expires'>, now = Date.now()): boolean {
  return expires !== undefined && Date.parse(expires) <= now;
}
