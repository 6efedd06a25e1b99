import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder of a recording. What was traced is what root saw: folders have mode 0700 and files 0600.
 *
 *   host.json      see host-record.ts: on which host, by which bpftrace
 *   traces/        a file for each child, see contract/recording.ts
 *   answers/       what bpftrace answered to short commands, see answers.ts
 *   tracepoints.json, btf   of the host, what the tools read themselves, see host-files.ts
 */
export const FOLDER = {
  host: 'host.json',
  traces: 'traces',
  answers: 'answers',
  tracepoints: 'tracepoints.json',
  btf: 'btf',
} as const;
/** A folder can't be recorded to, or replayed; in words. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

export function writePrivate(path: string, content: string | Buffer): void {
  const part = `${path}.${process.pid}.part`;
  try {
    writeFileSync(part, content, { mode: 0o600 });
    renameSync(part, path);
  } catch (error) {
    // On a full disk, whatever could be written only takes room.
    rmSync(part, { force: true });
    throw error;
  }
}

/** The folder itself, and what is in it; not those above it. */
export function makeFolders(folder: string): void {
  for (const path of [folder, join(folder, FOLDER.traces), join(folder, FOLDER.answers)]) {
    // Not `recursive`: below /proc that never returns.
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
    if (path !== folder) chmodSync(path, 0o700);
  }
}
