import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';

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

/**
 * Listens on a Unix socket. Nobody can connect before it has its group and mode.
 * @throws ListenError
 */
export async function listenUnix(server: Server, { path, mode, group }: UnixOptions): Promise<void> {
  const gid = group === '' ? undefined : groupId(group);
  const folder = dirname(path);
  // Node would say that permission is denied.
  if (!existsSync(folder))
    throw new ListenError(`the socket ${path} can't be made: there is no folder ${folder}`);
  await removeStale(path);
  const before = process.umask(0o777);
  const listening = once(server, 'listening');
  try {
    // The socket is bound before this returns.
    server.listen(path);
  } finally {
    process.umask(before);
  }
  try {
    await listening;
    if (gid !== undefined) chownSync(path, -1, gid);
    chmodSync(path, Number.parseInt(mode, 8));
  } catch (error) {
    server.close();
    throw new ListenError(
      `the socket ${path} can't be made: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** A server that was killed leaves its socket behind. Only a socket that nobody listens on is taken away. */
async function removeStale(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) {
    throw new ListenError(`${path} is there and is no socket: it is left alone; choose another path`);
  }
  if (await answers(path)) throw new ListenError(`another server listens on ${path}`);
  if (there.uid !== process.geteuid?.() && process.geteuid?.() !== 0) {
    throw new ListenError(`the socket ${path} is another user's (${there.uid}): it is left alone`);
  }
  unlinkSync(path);
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
