import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  unlinkSync,
} from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { SOCKET_PATH_BYTES_MAX } from '../../serving.js';

/** Why the server can't listen where it was told to. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

interface UnixOptions {
  path: string;
  /** Octal digits. */
  mode: string;
  /** A name or a number; empty: as the system gives it. */
  group: string;
}

/** Opens a folder that may be entered and not read. Node has no name for it; the number is that of all its Linuxes. */
const O_PATH = 0o10000000;

/**
 * Listens on a Unix socket. Nobody can connect before it has its group and mode.
 *
 * Node takes away, when it stops to listen, whatever has the name that it bound: by then that may be a successor's
 * socket. So a name that is nobody else's is bound, and the socket linked to its path; unlike a rename, that replaces
 * nothing that another server, which starts at the same time, has put there.
 * @returns takes the socket away, if it is still there; to be called before the server stops to listen
 * @throws ListenError
 */
export async function listenUnix(server: Server, { path, mode, group }: UnixOptions): Promise<() => void> {
  const gid = group === '' ? undefined : groupId(group);
  const folder = dirname(path);
  // Node would say that permission is denied.
  if (!existsSync(folder))
    throw new ListenError(`the socket ${path} can't be made: there is no folder ${folder}`);
  await removeStale(path);
  const bound = join(folder, `.bpftrace-mcp-${randomBytes(6).toString('hex')}`);
  try {
    await bind(server, bound);
    try {
      if (gid !== undefined) chownSync(bound, -1, gid);
      chmodSync(bound, Number.parseInt(mode, 8));
      linkSync(bound, path);
    } finally {
      unlinkSync(bound);
    }
  } catch (error) {
    server.close();
    if (isErrno(error, 'EEXIST')) throw new ListenError(`another server has just begun to listen on ${path}`);
    throw new ListenError(
      `the socket ${path} can't be made: ${error instanceof Error ? error.message : error}`,
    );
  }
  const ours = lstatSync(path, { bigint: true });
  const remove = (): void => {
    // When it is closed, its inode's number may be given to another.
    process.off('exit', remove);
    if (isAt(path, ours)) unlinkSync(path);
  };
  process.once('exit', remove);
  return remove;
}

/** Binds a socket that nobody may open yet. */
async function bind(server: Server, path: string): Promise<void> {
  // Where the folder's own path leaves no room for this name, the folder is reached by a shorter one.
  const isLong = Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX;
  const folder = isLong ? openSync(dirname(path), O_PATH | constants.O_DIRECTORY) : undefined;
  const before = process.umask(0o777);
  const listening = once(server, 'listening');
  try {
    // The socket is bound before this returns.
    server.listen(folder === undefined ? path : `/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    process.umask(before);
    if (folder !== undefined) closeSync(folder);
  }
  await listening;
}

/** A server that was killed leaves its socket behind. Only a socket that nobody listens on is taken away. */
async function removeStale(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (!there) return;
  if (!there.isSocket()) {
    throw new ListenError(`${path} is there and is no socket: it is left alone; choose another path`);
  }
  if (await answers(path)) throw new ListenError(`another server listens on ${path}`);
  if (Number(there.uid) !== process.geteuid?.() && process.geteuid?.() !== 0) {
    throw new ListenError(`the socket ${path} is another user's (${there.uid}): it is left alone`);
  }
  // Another server that starts may have put its own there meanwhile.
  if (isAt(path, there)) unlinkSync(path);
}

function isAt(path: string, { dev, ino }: BigIntStats): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return there !== undefined && there.dev === dev && there.ino === ino;
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Nobody listens: ECONNREFUSED. Whatever else it is (no right to ask, a full queue), somebody may be there.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function groupId(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const { stdout } = spawnSync('getent', ['group', group], { encoding: 'utf8' });
  const id = /^[^:]*:[^:]*:(\d+):/.exec(stdout ?? '')?.[1];
  if (id === undefined) throw new ListenError(`there is no group ${group}`);
  return Number(id);
}
