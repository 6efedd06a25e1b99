import { readdirSync, readFileSync } from 'node:fs';
import { programMaps } from '../../src/bpftrace/language/program-maps.js';
import { atLeast, type Release } from '../../src/bpftrace/version.js';
import type { TypedMap } from '../../src/contract/map.js';
import { readingOf } from '../../workers/map/reading.js';
import { fixturePath } from './fixtures.js';
import { read } from './read-records.js';

/**
 * test/fixtures/maps: programs NAME.bt, what each bpftrace wrote for them (VERSION-NAME.jsonl), and the typed maps
 * that are made of it (VERSION-NAME.json). `npm run capture` writes the latter two anew.
 */
export interface GoldenProgram {
  name: string;
  text: string;
  /** The first release that knows all that is in it: `// since 0.23` on its first line. */
  since: Release;
}

export const GOLDEN_VERSIONS = ['0.17.0', '0.23.2', '0.27.1'];

export function goldenPrograms(): GoldenProgram[] {
  const files = readdirSync(fixturePath('maps')).filter(name => name.endsWith('.bt'));
  return files.sort().map(file => {
    const text = readFileSync(fixturePath('maps', file), 'utf8');
    const since = /^\/\/ since (\d+\.\d+)\n/.exec(text)?.[1] ?? '0.17';
    return { name: file.replace(/\.bt$/, ''), text, since: since as Release };
  });
}

export function runsOn({ since }: GoldenProgram, version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return atLeast({ major, minor, patch, text: version }, since);
}

/** What is made of a bpftrace's output. */
export function typedMaps(version: string, program: GoldenProgram, output: Buffer): TypedMap[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return read([output], readingOf(programMaps(program.text), { major, minor })).maps;
}

/** A map a line. */
export function goldenText(maps: readonly TypedMap[]): string {
  return `[\n${maps.map(map => `  ${JSON.stringify(map)}`).join(',\n')}\n]\n`;
}
