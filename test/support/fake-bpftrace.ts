import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * An executable that stands in for bpftrace where the real one can't be made to do what is tested. It is given
 * bpftrace's arguments, the program on standard input, and writes what the script says.
 */
export function fakeBpftrace(script: string, interpreter = process.execPath): string {
  const path = join(mkdtempSync(join(tmpdir(), 'fake-bpftrace-')), 'bpftrace');
  writeFileSync(path, `#!${interpreter}\n${script}`, { mode: 0o755 });
  return path;
}
