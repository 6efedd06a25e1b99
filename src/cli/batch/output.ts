import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import type { BatchItem } from './input.js';

/** Where results go, a line each: standard output, or a file that can be gone on with. */
export interface BatchOutput {
  /** The result of that very item is there already. */
  has(item: BatchItem): boolean;
  write(result: object): void;
  close(): void;
}

/** The file can't be used; in words. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** @param onBroken whoever read it has gone (`| head`) */
export function standardOutput(onBroken: () => void): BatchOutput {
  let broken = false;
  process.stdout.on('error', () => {
    if (!broken) onBroken();
    broken = true;
  });
  return {
    has: () => false,
    write: result => void (broken || process.stdout.write(lineOf(result))),
    close: () => {},
  };
}

/**
 * A file of its own, or with `resume` one that holds results already. What was being written when an earlier run
 * was cut off is no result: it is cut away and done again.
 * @throws OutputError
 */
export function fileOutput(path: string, resume: boolean, say: (text: string) => void): BatchOutput {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
  if (isThere && !resume) {
    throw new OutputError(`${path} is there already: --resume goes on with it, or name another file`);
  }
  const done = isThere ? resultsIn(path, say) : new Set<string>();
  // What was traced is what root saw.
  const file = openSync(path, 'a', 0o600);
  return {
    has: item => done.has(keyOf(item)),
    write: result => void writeSync(file, lineOf(result)),
    close: () => closeSync(file),
  };
}

function lineOf(result: object): string {
  return `${JSON.stringify(result)}\n`;
}

function keyOf({ id, request }: Pick<BatchItem, 'id' | 'request'>): string {
  return JSON.stringify([id, request]);
}

function resultsIn(path: string, say: (text: string) => void): Set<string> {
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf('\n') + 1;
  if (whole < bytes.length) {
    say(`the last line of ${path} is torn: it is cut away and done again`);
    truncateSync(path, whole);
  }
  const done = new Set<string>();
  for (let at = 0, line = 1; at < whole; line++) {
    const end = bytes.indexOf('\n', at);
    const key = keyIn(bytes.toString('utf8', at, end));
    if (key) done.add(key);
    else say(`line ${line} of ${path} is no result of a batch: it is left as it is`);
    at = end + 1;
  }
  return done;
}

function keyIn(line: string): string | undefined {
  try {
    const { id, request } = JSON.parse(line);
    return id === undefined || request === undefined ? undefined : keyOf({ id, request });
  } catch {
    return undefined;
  }
}
