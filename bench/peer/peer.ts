import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from '../../test/support/systems.js';

/** What users would otherwise take: MCPtrace, installed outside the tree by `npm run bench:peers`. */
export const PEER = { crate: 'bpftrace-mcp-server', version: '0.1.1' } as const;

export const PEER_ROOT = join(CACHE, `${PEER.crate}-${PEER.version}`);
const BINARY = join(PEER_ROOT, 'bin', PEER.crate);

export function peerBinary(): string | undefined {
  return existsSync(BINARY) ? BINARY : undefined;
}

/** As cargo noted it when it installed the binary. */
export function peerVersion(): string | undefined {
  if (peerBinary() === undefined) return undefined;
  const noted = readFileSync(join(PEER_ROOT, '.crates.toml'), 'utf8');
  return new RegExp(`"${PEER.crate} (\\S+) `).exec(noted)?.[1];
}
