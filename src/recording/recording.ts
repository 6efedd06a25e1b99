import { existsSync, readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import type { Inspection } from '../bpftrace/checks.js';
import { FORMAT, FORMAT_VERSION, type RecordingHeader, type RecordTask } from '../contract/recording.js';
import type { Launcher } from '../privilege/launcher.js';
import { FOLDER, makeFolders, RecordingError, writePrivate } from './folder.js';
import { keepHostFiles } from './host-files.js';
import { FOLDER_FORMAT, FOLDER_VERSION, type HostRecord } from './host-record.js';

interface Host {
  path: string | undefined;
  identity: string;
  launcher: Launcher;
}

/** What the host tells beside its traces. */
interface HostTalk {
  inspect(): Promise<Inspection>;
  /** Has all probes of the kernel listed. */
  list(): Promise<unknown>;
}

/** Keeps what is traced here, and what else the tools need of this host, in a folder. */
export class Recording {
  private readonly hostPath: string;
  private begun: Promise<void> | undefined;
  private count = 0;
  /** Children of which there is no recording. */
  failed = 0;
  problem: string | undefined;

  /** @throws RecordingError where the folder can't be used, or holds recordings of another host */
  constructor(
    private readonly folder: string,
    private readonly bytesMax: number,
    private readonly host: Host,
  ) {
    this.hostPath = join(folder, FOLDER.host);
    try {
      makeFolders(folder);
      const known = this.known();
      if (!known) this.write(this.record);
      else if (known.kernel !== release() || known.bpftrace_identity !== host.identity) {
        throw new RecordingError(
          `--record ${folder}: it holds recordings of another kernel or another bpftrace; name another folder`,
        );
      }
    } catch (error) {
      if (error instanceof RecordingError) throw error;
      throw new RecordingError(`--record ${folder}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Has what bpftrace answers to short commands kept too. */
  get launcher(): Launcher {
    const { launcher } = this.host;
    const { folder } = this;
    return {
      ...launcher,
      plan: (path, args, ...rest) => ({
        ...launcher.plan(path, args, ...rest),
        answers: { folder, args: [...args], recorded: false },
      }),
    };
  }

  /**
   * Looks at the host once for this folder; it takes a second or two, beside everything else.
   * @param onProblem that was not kept, and why
   */
  begin(talk: HostTalk, onProblem: (why: string) => void): void {
    this.begun ??= this.lookAround(talk).catch((error: unknown) => {
      const why = `what the tools need of this host: ${error instanceof Error ? error.message : error}`;
      this.problem ??= why;
      onProblem(why);
    });
  }

  /** Resolves when the folder holds all that a replay needs. */
  async close(): Promise<void> {
    await this.begun;
  }

  /** For the next child. */
  task(about: Omit<RecordingHeader, 'format' | 'version' | 'recorded_at'>): RecordTask {
    const now = new Date().toISOString();
    const number = String(this.count++).padStart(6, '0');
    const name = `${now.replace(/[-:]/g, '')}-${process.pid}-${number}`;
    const header = { format: FORMAT, version: FORMAT_VERSION, recorded_at: now, ...about } as const;
    return { path: join(this.folder, FOLDER.traces, name), header, bytesMax: this.bytesMax };
  }

  hasFailed(why: string): void {
    this.failed++;
    this.problem = why;
  }

  private async lookAround({ inspect, list }: HostTalk): Promise<void> {
    if (this.known()?.inspection) return;
    await list().catch(() => {}); // A host that lists nothing replays so.
    await keepHostFiles(this.folder);
    // Last: it says that all is there.
    this.write({ ...this.record, inspection: await inspect() });
  }

  private get record(): HostRecord {
    const { path = '', identity, launcher } = this.host;
    return {
      format: FOLDER_FORMAT,
      version: FOLDER_VERSION,
      kernel: release(),
      arch: arch(),
      bpftrace_path: path,
      bpftrace_identity: identity,
      children_die_with_server: launcher.diesWithServer,
    };
  }

  private known(): HostRecord | undefined {
    if (!existsSync(this.hostPath)) return undefined;
    try {
      const known = JSON.parse(readFileSync(this.hostPath, 'utf8')) as HostRecord | null;
      if (known) return known;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new RecordingError(
      `--record ${this.folder}: its ${FOLDER.host} is damaged; name another folder, or take that file away`,
    );
  }

  private write(record: HostRecord): void {
    writePrivate(this.hostPath, JSON.stringify(record, undefined, 2));
  }
}
