import { statSync } from 'node:fs';

/** Where `helper install` puts things. */
export const HELPER_PATH = '/usr/local/libexec/bpftrace-mcp-helper';
/** sudo skips files whose names hold a dot. */
export const RULE_PATH = '/etc/sudoers.d/bpftrace-mcp-helper';
/** Locks of the helpers that run; root's own. */
export const SLOT_FOLDER = '/run/bpftrace-mcp-helper';

export function isInstalled(): boolean {
  return statSync(HELPER_PATH, { throwIfNoEntry: false })?.isFile() ?? false;
}
