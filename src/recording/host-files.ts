import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FOLDER, writePrivate } from './folder.js';

/**
 * What the tools read of a host themselves: the format files of its tracepoints, and its BTF. In a recording the
 * former stand in one file, a JSON object of their texts by path, the latter is a copy.
 */
const EVENTS = '/sys/kernel/tracing/events';
const BTF = '/sys/kernel/btf/vmlinux';
/** Files that are read before others get their turn. */
const FILES_AT_ONCE = 50;

/** @param folder of the recording that is replayed; empty: this host's own */
export class HostFiles {
  private texts: Readonly<Record<string, string>> | undefined;

  constructor(private readonly folder: string) {}

  /** Of a format file, a character a byte. @throws Error where there is none */
  text(path: string): string {
    if (this.folder === '') return readFileSync(path, 'latin1');
    this.texts ??= JSON.parse(readFileSync(join(this.folder, FOLDER.tracepoints), 'utf8')) as Record<
      string,
      string
    >;
    const text = this.texts[path];
    if (text === undefined) throw new Error(`${path} was not recorded`);
    return text;
  }

  /** @throws Error where there is none */
  btf(): Buffer {
    return readFileSync(this.folder === '' ? BTF : join(this.folder, FOLDER.btf));
  }
}

/** Copies them into a recording; what can't be read is left out. */
export async function keepHostFiles(folder: string): Promise<void> {
  const here = new HostFiles('');
  const texts: Record<string, string> = {};
  for (const [i, path] of formatFiles().entries()) {
    try {
      texts[path] = here.text(path);
    } catch {
      // Gone meanwhile, with its module.
    }
    if (i % FILES_AT_ONCE === 0) await nextTurn();
  }
  writePrivate(join(folder, FOLDER.tracepoints), JSON.stringify(texts));
  let btf: Buffer;
  try {
    btf = here.btf();
  } catch {
    return; // A kernel without.
  }
  writePrivate(join(folder, FOLDER.btf), btf);
}

function formatFiles(): string[] {
  try {
    return folders(EVENTS).flatMap(group => {
      return folders(`${EVENTS}/${group}`).map(event => `${EVENTS}/${group}/${event}/format`);
    });
  } catch {
    return [];
  }
}

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name);
}
