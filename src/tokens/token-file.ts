import { timingSafeEqual } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { hasExpired, hashOf, type Token, tokenSchema } from './token.js';

/** Why a token file can't be used. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}

/** What reading it again has changed; names of tokens. */
export interface Reloaded {
  tokens: number;
  added: string[];
  removed: string[];
  changed: string[];
  /** Why there are none: nobody is let in. */
  problem?: string;
}

const FILE_BYTES_MAX = 4 * 1024 * 1024;

/** The tokens of a file: JSON, one object a line; empty lines and those that begin with # are left out. @throws TokenFileError */
export function readTokens(path: string): Token[] {
  return parseTokens(path, readOwned(path).text);
}

/**
 * The tokens of a file that may change under a running server. It is looked at for each question, and read again
 * when it is another one; so a token that was removed is refused at once. While it can't be read, nobody is let in.
 */
export class TokenFile {
  private seen: string | undefined;
  private tokens: readonly { token: Token; hash: Buffer }[] = [];
  /** Each as JSON, by its name. */
  private lines: ReadonlyMap<string, string> = new Map();
  private problem: string | undefined;

  /** @param onChange told of each change: how many tokens there are now, or why there are none */
  constructor(
    readonly path: string,
    private readonly onChange: (change: { tokens: number; problem?: string }) => void = () => {},
  ) {
    this.load();
    if (this.problem !== undefined) throw new TokenFileError(this.problem);
  }

  /** The token that was presented, if it is one of the file's; an expired one is told apart by the caller. */
  find(presented: string): Token | undefined {
    this.refresh();
    const hash = Buffer.from(hashOf(presented), 'hex');
    let found: Token | undefined;
    // Each is compared, whichever it is, and in the same time.
    for (const { token, hash: known } of this.tokens) if (timingSafeEqual(known, hash)) found = token;
    return found;
  }

  /** Whether a token that was found earlier is still there, unchanged, and has not expired. */
  holds(token: Token): boolean {
    this.refresh();
    return !hasExpired(token) && this.lines.get(token.name) === JSON.stringify(token);
  }

  /** Reads it now, changed or not. @returns names of what is another one than before */
  reload(): Reloaded {
    const before = this.lines;
    this.load();
    const after = this.lines;
    const names = [...after.keys()];
    return {
      tokens: this.tokens.length,
      added: names.filter(name => !before.has(name)),
      removed: [...before.keys()].filter(name => !after.has(name)),
      changed: names.filter(name => before.has(name) && before.get(name) !== after.get(name)),
      ...(this.problem !== undefined && { problem: this.problem }),
    };
  }

  private refresh(): void {
    if (identityAt(this.path) === this.seen) return;
    this.load();
    const { tokens, problem } = this;
    this.onChange({ tokens: tokens.length, ...(problem !== undefined && { problem }) });
  }

  private load(): void {
    this.tokens = [];
    this.lines = new Map();
    this.problem = undefined;
    this.seen = undefined;
    try {
      const { text, stat } = readOwned(this.path);
      this.seen = identityOf(stat);
      const tokens = parseTokens(this.path, text);
      this.tokens = tokens.map(token => ({ token, hash: Buffer.from(token.sha256, 'hex') }));
      this.lines = new Map(tokens.map(token => [token.name, JSON.stringify(token)]));
    } catch (error) {
      if (!(error instanceof TokenFileError)) throw error;
      this.problem = error.message;
      // Looked at again when it has changed, not for every request.
      this.seen = identityAt(this.path);
    }
  }
}

function identityOf(stat: Stats): string {
  return `${stat.dev}:${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

/** That it can't be looked at (links in a circle, a folder that may not be entered) is a state of its own. */
function identityAt(path: string): string {
  try {
    return identityOf(statSync(path));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** Whoever could write the file could make tokens; its hashes are nobody's business either. */
function readOwned(path: string): { text: string; stat: Stats } {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TokenFileError(`the token file can't be read: ${why}; \`bpftrace-mcp token add\` makes one`);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new TokenFileError(`the token file ${path} is not a regular file`);
    if ((stat.mode & 0o027) !== 0) {
      const mode = (stat.mode & 0o777).toString(8);
      throw new TokenFileError(
        `the token file ${path} has mode ${mode}: others must not be able to read it, nor a group to write it; chmod 600 it`,
      );
    }
    if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) {
      throw new TokenFileError(
        `the token file ${path} belongs to user ${stat.uid}, not to root or this user`,
      );
    }
    if (stat.size > FILE_BYTES_MAX) {
      throw new TokenFileError(`the token file ${path} has more than ${FILE_BYTES_MAX} bytes`);
    }
    return { text: readFileSync(fd, 'utf8'), stat };
  } catch (error) {
    if (error instanceof TokenFileError) throw error;
    throw new TokenFileError(
      `the token file ${path} can't be read: ${error instanceof Error ? error.message : error}`,
    );
  } finally {
    closeSync(fd);
  }
}

function parseTokens(path: string, text: string): Token[] {
  const tokens: Token[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const token = parseLine(line);
    const place = `${path}, line ${index + 1}`;
    if (typeof token === 'string') throw new TokenFileError(`${place}: ${token}`);
    if (tokens.some(({ name }) => name === token.name)) {
      throw new TokenFileError(`${place}: there are two tokens ${token.name}`);
    }
    tokens.push(token);
  }
  return tokens;
}

function parseLine(line: string): Token | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is no JSON';
  }
  const parsed = tokenSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  return parsed.error.issues
    .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
    .join('; ');
}
