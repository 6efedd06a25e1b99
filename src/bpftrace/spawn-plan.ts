import { SYSTEM_PATH } from '../privilege/executable.js';

/**
 * What is on the command line and in the environment of every bpftrace that runs a program. `-f json` for
 * records, `-` for the program on standard input; nothing of a caller's ever stands here.
 */
export const TRACE_ARGS: readonly string[] = ['-f', 'json', '-'];

/** The operator's BPFTRACE_* settings pass, everything else is scrubbed; UTF-8 so that text is not mangled. */
export function childEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' };
  for (const [name, value] of Object.entries(env)) {
    if (/^BPFTRACE_(?!MCP_|PASSWD$)/.test(name) && value !== undefined) kept[name] = value;
  }
  return kept;
}
