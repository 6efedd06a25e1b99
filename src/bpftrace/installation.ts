import { statSync } from 'node:fs';
import { findExecutable, isExecutableFile } from '../privilege/executable.js';
import type { Launcher } from '../privilege/launcher.js';
import { askBpftrace } from './ask.js';
import { type BpftraceVersion, parseVersion } from './version.js';

/** For so long, the one that was found counts while it is there: what one request asks of it hangs together, and costs one search. */
const FOUND_FRESH_MS = 100;

/** The bpftrace this server uses. It may be installed, replaced or removed while the server runs. */
export class Installation {
  private readonly versions = new Map<string, Promise<BpftraceVersion | undefined>>();
  private readonly closed = new AbortController();
  private found: string | undefined;
  private foundAt = 0;

  constructor(
    private readonly name: string,
    private readonly launcher: Launcher,
  ) {}

  /** Its absolute path; it is there now. */
  get path(): string | undefined {
    const now = performance.now();
    const { found } = this;
    if (found !== undefined && now - this.foundAt <= FOUND_FRESH_MS && isExecutableFile(found)) return found;
    this.foundAt = now;
    this.found = findExecutable(this.name, process.env);
    return this.found;
  }

  /** Its path and which file is there: a package upgrade puts another one at the same path. */
  get identity(): string {
    const { path } = this;
    const file = path && statSync(path, { throwIfNoEntry: false });
    return file ? `${path} ${file.ino} ${file.size} ${file.mtimeMs}` : (path ?? '');
  }

  /** Undefined when there is no bpftrace, or when what there is does not tell. */
  async version(): Promise<BpftraceVersion | undefined> {
    const { path } = this;
    if (!path) return undefined;
    const { identity } = this;
    let version = this.versions.get(identity);
    if (!version) {
      const answer = askBpftrace(this.launcher, path, ['--version'], this.closed.signal);
      version = answer.then(({ stdout }) => parseVersion(stdout));
      this.versions.set(identity, version);
    }
    return version;
  }

  /** Ends what is being asked: nothing of it is left behind. */
  close(): void {
    this.closed.abort();
  }
}
