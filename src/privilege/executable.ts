import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where programs are, whatever the caller's PATH says. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

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

/** Asked for every program, mostly of places where there is nothing: that must not cost an exception each. */
export function isExecutableFile(path: string): boolean {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
