import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';

interface AuditFileOptions {
  path: string;
  /** A file that has grown to this is put aside as `PATH.1`, the one before as `PATH.2`, and so on. */
  maxBytes: number;
  /** Files kept beside the one that is written. */
  keep: number;
}

/** A file of a link's, a pipe or a device takes no audit; whoever waits behind a pipe must not block the server. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK |
  constants.O_NOCTTY;
const OWNER_ONLY = 0o600;

/**
 * Lines at the end of a file that only its owner can read. Each is written before the call returns, and looked
 * for under its path first: a file that was moved away or deleted is made anew.
 */
export class AuditFile {
  private open: { fd: number; inode: number } | undefined;
  /** A line was cut off by an error: the next one begins on a line of its own. */
  private torn = false;

  constructor(private readonly options: AuditFileOptions) {}

  /** @throws whatever the system says: the line is not there, or not whole */
  append(line: string): void {
    try {
      const { fd } = this.current();
      const bytes = Buffer.from(`${this.torn ? '\n' : ''}${line}\n`);
      // A full disk takes a part, and nothing of the rest.
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(fd, bytes, at);
        this.torn = at < bytes.length;
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    if (this.open) closeSync(this.open.fd);
    this.open = undefined;
  }

  private current(): { fd: number } {
    const { path, maxBytes } = this.options;
    const there = statSync(path, { throwIfNoEntry: false });
    if (this.open && this.open.inode === there?.ino && there.size < maxBytes) return this.open;
    this.close();
    if (there?.isFile() && there.size >= maxBytes) this.rotate();
    const fd = openSync(path, FLAGS, OWNER_ONLY);
    this.open = { fd, inode: 0 };
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    if ((stat.mode & 0o777) !== OWNER_ONLY) fchmodSync(fd, OWNER_ONLY);
    this.open = { fd, inode: stat.ino };
    return this.open;
  }

  private rotate(): void {
    const { path, keep } = this.options;
    for (let n = keep; n >= 1; n--) {
      const older = n === 1 ? path : `${path}.${n - 1}`;
      if (statSync(older, { throwIfNoEntry: false })) renameSync(older, `${path}.${n}`);
    }
  }
}
