import { readFileSync, writeFileSync } from 'node:fs';
import { fixturePath } from './fixtures.js';

/** What was seen to work: outcome by feature, by bpftrace's minor version ("0.23"), by kernel. */
export type SupportTable = Record<string, Record<string, Record<string, string>>>;

const path = fixturePath('support.json');

/** @throws when the file is missing: whoever runs the tests elsewhere has to bring it along */
export function readSupport(): SupportTable {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Puts these outcomes in the place of older ones. */
export function recordSupport(outcomes: SupportTable): void {
  const table = readSupport();
  for (const [kernel, versions] of Object.entries(outcomes)) {
    for (const [version, features] of Object.entries(versions)) {
      table[kernel] = sorted({ ...table[kernel], [version]: { ...table[kernel]?.[version], ...features } });
    }
  }
  writeFileSync(path, `${JSON.stringify(sorted(table), undefined, 2)}\n`);
}

function sorted<T>(table: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The kernel's row of the table. @param release as `uname -r` prints it */
export function kernelLabel(release: string, kprobes: string): string {
  const version = /^\d+\.\d+/.exec(release)?.[0] ?? release;
  const functions = { yes: 'kprobes', no: 'no kprobes' }[kprobes] ?? 'kprobes unknown';
  return `Linux ${version}, ${functions}`;
}
