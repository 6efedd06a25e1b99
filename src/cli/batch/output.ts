import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import type { BatchItem } from './input.js';

/** Where results go, a line each: standard output, or a file that can be gone on with. */
export interface BatchOutput {
  /** The result of that very item is there already: of each that is there, true once. */
  has(item: BatchItem): boolean;
  write(result: object): void;
  close(): void;
}

/** The file can't be used; in words. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** No more can be written. @param why in words; undefined when whoever read it has gone (`| head`) */
type OnBroken = (why: string | undefined) => void;

/** @throws OutputError */
export function standardOutput(input: string, onBroken: OnBroken): BatchOutput {
  requireOther(input, process.stdout.fd, 'standard output');
  let broken = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!broken) onBroken(error.code === 'EPIPE' ? undefined : `standard output: ${error.message}`);
    broken = true;
  });
  return {
    has: () => false,
    write: result => void (broken || process.stdout.write(lineOf(result))),
    close: () => {},
  };
}

interface FileOptions {
  path: string;
  /** What is read, which can't be written to. */
  input: string;
  resume: boolean;
  say: (text: string) => void;
}

/**
 * A file of its own, or with `resume` one that holds results already. What was being written when an earlier run
 * was cut off is no result: it is cut away and done again.
 * @throws OutputError
 */
export function fileOutput({ path, input, resume, say }: FileOptions, onBroken: OnBroken): BatchOutput {
  // A device or a pipe holds nothing that could be read again.
  const isThere = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  if (isThere && !resume) {
    throw new OutputError(`${path} is there already: --resume goes on with it, or name another file`);
  }
  let file: number;
  try {
    // What was traced is what root saw.
    file = openSync(path, 'a', 0o600);
  } catch (error) {
    throw new OutputError(`${path} can't be written: ${wordsOf(error)}`);
  }
  requireOther(input, file, path);
  const done = isThere ? resultsIn(path, say) : new Map<string, number>();
  let broken = false;
  return {
    has: item => {
      const key = keyOf(item);
      const left = done.get(key) ?? 0;
      if (left > 0) done.set(key, left - 1);
      return left > 0;
    },
    write: result => {
      if (broken) return;
      try {
        writeWhole(file, Buffer.from(lineOf(result)));
      } catch (error) {
        broken = true;
        onBroken(`${path}: ${wordsOf(error)}`);
      }
    },
    close: () => closeSync(file),
  };
}

/** On a disk that fills up only a part is taken, and the next call says why. */
function writeWhole(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Each result would be read as the next program. @throws OutputError */
function requireOther(input: string, output: number, name: string): void {
  const from = input === '-' ? fstatSync(0) : statSync(input);
  const to = fstatSync(output);
  if (from.isFile() && from.ino === to.ino && from.dev === to.dev)
    throw new OutputError(`${name} is the file with the programs: name another one for the results`);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function lineOf(result: object): string {
  return `${JSON.stringify(result)}\n`;
}

function keyOf({ id, request }: Pick<BatchItem, 'id' | 'request'>): string {
  return JSON.stringify([id, request]);
}

const BLOCK_BYTES = 1024 * 1024;
/** As {@link BatchOutput.write} begins each line. */
const BEGINNING = '{"type":"result",';

/** How many results of each item there are. It is read in blocks: it may be larger than one buffer can be. */
function resultsIn(path: string, say: (text: string) => void): Map<string, number> {
  const done = new Map<string, number>();
  const file = openSync(path, 'r');
  let pieces: Buffer[] = [];
  let whole = 0;
  try {
    for (let at = 0, line = 1; ; ) {
      const block = Buffer.alloc(BLOCK_BYTES);
      const bytes = block.subarray(0, readSync(file, block, 0, BLOCK_BYTES, at));
      if (bytes.length === 0) break;
      let from = 0;
      for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', from), line++) {
        const key = keyIn(Buffer.concat([...pieces, bytes.subarray(from, end)]).toString('utf8'));
        if (key) done.set(key, (done.get(key) ?? 0) + 1);
        else say(`line ${line} of ${path} is no result of a batch: it is left as it is`);
        pieces = [];
        from = end + 1;
        whole = at + from;
      }
      pieces.push(bytes.subarray(from));
      at += bytes.length;
    }
  } catch (error) {
    throw new OutputError(`${path} can't be read: ${wordsOf(error)}`);
  } finally {
    closeSync(file);
  }
  const torn = Buffer.concat(pieces).toString('utf8', 0, BEGINNING.length);
  if (torn === '') return done;
  if (!BEGINNING.startsWith(torn))
    throw new OutputError(
      `the last line of ${path} has no end and is no result of a batch: name another file, or end that line`,
    );
  say(`the last line of ${path} is torn: it is cut away and done again`);
  truncateSync(path, whole);
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
