import { readFileSync } from 'node:fs';

/** Where `helper install` puts things. */
export const HELPER_PATH = '/usr/local/libexec/bpftrace-mcp-helper';
/** sudo skips files whose names hold a dot. */
export const RULE_PATH = '/etc/sudoers.d/bpftrace-mcp-helper';
/** Locks of the helpers that run; root's own. */
export const SLOT_FOLDER = '/run/bpftrace-mcp-helper';

/** The bpftrace that the installed helper runs, and the only one; undefined when there is no helper. */
export function installedFor(): string | undefined {
  try {
    return /^ {2}path => '([^']+)',$/m.exec(readFileSync(HELPER_PATH, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
