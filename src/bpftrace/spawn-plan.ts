import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * What is on the command line and in the environment of every bpftrace that runs a program. `-f json` for
 * records, `-` for the program on standard input; nothing of a caller's ever stands here.
 */
export const TRACE_ARGS: readonly string[] = ['-f', 'json', '-'];

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The operator's BPFTRACE_* settings pass, everything else is scrubbed; UTF-8 so that text is not mangled. */
export function childEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' };
  for (const [name, value] of Object.entries(env)) {
    if (/^BPFTRACE_(?!MCP_|PASSWD$)/.test(name) && value !== undefined) kept[name] = value;
  }
  return kept;
}

/** The absolute path of an executable: `name` itself if it has a slash, else looked up on PATH and in the system's folders. */
export function findExecutable(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const candidates = name.includes('/')
    ? [isAbsolute(name) ? name : join(process.cwd(), name)]
    : `${env.PATH ?? ''}${delimiter}${SYSTEM_PATH}`
        .split(delimiter)
        .filter(Boolean)
        .map(folder => join(folder, name));
  return candidates.find(isExecutableFile);
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(realpathSync(path)).isFile();
  } catch {
    return false;
  }
}
