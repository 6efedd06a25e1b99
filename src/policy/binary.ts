import { accessSync, constants, readdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { SYSTEM_PATH } from '../privilege/executable.js';
import { covers, type Glob, hasWildcard, parseGlob } from './glob.js';
import { findPublicFile } from './public-file.js';

/** Folders that bpftrace looks a bare name up in: programs on PATH, libraries where the loader finds them. */
const LOOKUP_FOLDERS = [...SYSTEM_PATH.split(':'), '/'];
export const BINARY_ALLOWED =
  'an absolute path, or a name that is looked up, of a file that every user of the host can read';
const NOT_PUBLIC = 'it is not a regular file that every user of the host can read';
/** Files that a wildcard may stand for; each is looked at. */
const MATCHES_MAX = 2000;

/**
 * Whether the symbols of a binary may be read and probed: those that `nobody` could read, and those that the
 * server's own user could, when that is not root. What does not exist is left for bpftrace to say.
 * @returns what is wrong with it
 */
export function judgeBinary(path: string): string | undefined {
  if (/["\\]/.test(path)) return 'its path holds quotes or a backslash';
  if (path === '') return 'it names no binary';
  if (hasWildcard(path)) return judgeWildcard(path);
  if (isAbsolute(path)) return isPublic(path) ? undefined : NOT_PUBLIC;
  if (path.includes('/')) return 'its path is not absolute';
  return LOOKUP_FOLDERS.every(folder => isPublic(join(folder, path))) ? undefined : NOT_PUBLIC;
}

function isPublic(path: string): boolean {
  if (findPublicFile(path)) return true;
  if (process.geteuid?.() === 0) return false;
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function judgeWildcard(path: string): string | undefined {
  if (!isAbsolute(path)) return 'a wildcard needs an absolute path';
  let folders = ['/'];
  const parts = path.split('/').filter(Boolean);
  for (const [index, part] of parts.entries()) {
    const next: string[] = [];
    for (const folder of folders) {
      for (const name of hasWildcard(part) ? namesIn(folder, parseGlob(part)) : [part])
        next.push(join(folder, name));
    }
    if (next.length > MATCHES_MAX) return `it stands for more than ${MATCHES_MAX} files`;
    folders = next;
    if (index === parts.length - 1 && !folders.every(isPublic))
      return `among what it stands for is a file: ${NOT_PUBLIC}`;
  }
  return undefined;
}

function namesIn(folder: string, glob: Glob): string[] {
  try {
    return readdirSync(folder).filter(name => covers(glob, [...name]));
  } catch {
    return [];
  }
}
