import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hashOf, newToken, type Token } from './token.js';
import { readTokens, TokenFileError } from './token-file.js';

const OWNER_ONLY = 0o600;

/**
 * Makes a token and appends it to a file, which is made if it is not there.
 * @returns the token itself, which is nowhere else
 * @throws TokenFileError
 */
export function addToken(path: string, terms: Omit<Token, 'sha256'>): string {
  const isThere = existsSync(path);
  // An empty file that others can read is told now, not when the server is started.
  if (isThere && readTokens(path).some(({ name }) => name === terms.name)) {
    throw new TokenFileError(`there is a token ${terms.name} already; remove it first, or take another name`);
  }
  const before = isThere ? readFileSync(path, 'utf8') : '';
  const token = newToken();
  const { name, ...others } = terms;
  const line = JSON.stringify({ name, sha256: hashOf(token), ...others });
  const gap = before === '' || before.endsWith('\n') ? '' : '\n';
  appendFileSync(path, `${gap}${line}\n`, { mode: OWNER_ONLY });
  return token;
}

/** Takes a token out of a file; everything else in it stays as it is. @returns false: there was none. @throws TokenFileError */
export function removeToken(file: string, name: string): boolean {
  if (!readTokens(file).some(token => token.name === name)) return false;
  // Behind a link stands what the server reads: a new file in the link's place would leave the token in that.
  const path = realpathSync(file);
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => nameIn(line) !== name);
  const { mode, uid, gid } = statSync(path);
  // A server that reads it meanwhile sees the old file or the new one.
  const next = `${path}.${process.pid}.new`;
  writeFileSync(next, kept.join('\n'), { mode: OWNER_ONLY, flag: 'wx' });
  chownSync(next, uid, gid);
  chmodSync(next, mode & 0o777);
  renameSync(next, path);
  return true;
}

function nameIn(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? Reflect.get(value, 'name') : undefined;
  } catch {
    return undefined;
  }
}
