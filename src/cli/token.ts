import { addToken, removeToken } from '../tokens/edit.js';
import { hasExpired, TOKEN_NAME, type Token } from '../tokens/token.js';
import { readTokens, TokenFileError } from '../tokens/token-file.js';
import { EXIT } from './exit-codes.js';

interface Asked {
  name: string;
  policy: Token['policy'] | undefined;
  expires: string | undefined;
  limits: Record<string, number | undefined>;
}

/** The token alone is printed to standard output, so that it can be put into a file; everything else to standard error. */
export function tokenAdd(file: string, { name, policy, expires, limits }: Asked): number {
  if (!TOKEN_NAME.test(name)) {
    return failed(
      `${JSON.stringify(name)}: a name is letters, digits, and . _ @ - within, 64 at most`,
      EXIT.usage,
    );
  }
  const given = Object.fromEntries(Object.entries(limits).filter(([, most]) => most !== undefined));
  return orTell(() => {
    const token = addToken(file, {
      name,
      ...(policy && { policy }),
      ...(expires !== undefined && { expires }),
      ...(Object.keys(given).length > 0 && { limits: given }),
    });
    process.stdout.write(`${token}\n`);
    process.stderr.write(`the token of ${name}; it is shown only now, ${file} has its hash\n`);
    return EXIT.ok;
  });
}

export function tokenList(file: string, json: boolean): number {
  return orTell(() => {
    const tokens = readTokens(file);
    for (const { sha256: _hash, ...token } of tokens) {
      process.stdout.write(json ? `${JSON.stringify(token)}\n` : `${lineOf(token)}\n`);
    }
    if (tokens.length === 0) process.stderr.write(`there are no tokens in ${file}\n`);
    return EXIT.ok;
  });
}

export function tokenRemove(file: string, name: string): number {
  return orTell(() => {
    if (!removeToken(file, name)) return failed(`there is no token ${name} in ${file}`, EXIT.failed);
    process.stderr.write(`removed ${name}; a running server refuses it from now on\n`);
    return EXIT.ok;
  });
}

function lineOf(token: Omit<Token, 'sha256'>): string {
  const limits = Object.entries(token.limits ?? {}).map(([name, most]) => `${name} ${most}`);
  const expiry = token.expires && `${hasExpired(token) ? 'EXPIRED' : 'until'} ${token.expires}`;
  const policy = token.policy && `policy ${token.policy}`;
  return [token.name, policy, expiry, ...limits].filter(Boolean).join('  ');
}

function orTell(act: () => number): number {
  try {
    return act();
  } catch (error) {
    if (error instanceof TokenFileError) return failed(error.message, EXIT.failed);
    // EACCES, ENOSPC and the like say what they are about.
    if (error instanceof Error && 'syscall' in error) return failed(error.message, EXIT.failed);
    throw error;
  }
}

function failed(message: string, code: number): number {
  process.stderr.write(`bpftrace-mcp token: ${message}\n`);
  return code;
}
