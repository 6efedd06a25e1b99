import { readFileSync, writeFileSync } from 'node:fs';
import { GROUPS } from '../features/index.js';
import { fixturePath } from './fixtures.js';

/** What was seen to work: outcome by feature, by bpftrace's minor version ("0.23"), by kernel. */
export const UNSTEADY = 'unsteady';
export type SupportTable = Record<string, Record<string, Record<string, string>>>;

const NAMES: readonly string[] = GROUPS.flatMap(({ features }) => features.map(({ name }) => name));
const path = fixturePath('support.json');

/** @throws when the file is missing: whoever runs the tests elsewhere has to bring it along */
export function readSupport(): SupportTable {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * Puts these outcomes in the place of older ones, and forgets features that are no more. Where bpftrace itself
 * answers now so, now so, somebody has written `unsteady`, which stays.
 */
export function recordSupport(outcomes: SupportTable): void {
  const table = readSupport();
  for (const [kernel, versions] of Object.entries(outcomes)) {
    for (const [version, features] of Object.entries(versions)) {
      const before = table[kernel]?.[version] ?? {};
      const unsteady = Object.entries(before).filter(([, outcome]) => outcome === UNSTEADY);
      const all = { ...before, ...features, ...Object.fromEntries(unsteady) };
      const kept = NAMES.flatMap(name => (all[name] === undefined ? [] : [[name, all[name]]]));
      table[kernel] = sorted({ ...table[kernel], [version]: Object.fromEntries(kept) });
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

const CELLS: Record<string, string> = { yes: 'yes', no: '-', wrong: 'differs', [UNSTEADY]: 'at times' };

/** The README's table: a row for what does not work the same everywhere it was tried, and one for the rest of a group. */
export function supportMarkdown(): string {
  const table = readSupport();
  const columns = Object.entries(table).flatMap(([kernel, versions]) =>
    Object.entries(versions).map(([version, outcomes]) => ({ head: `${version}, ${kernel}`, outcomes })),
  );
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(['feature', ...columns.map(({ head }) => head)]),
    row(['---', ...columns.map(() => '---')]),
  ];
  for (const { name: group, features } of GROUPS) {
    const rows = features.map(({ name }) => ({
      name,
      cells: columns.map(({ outcomes }) => CELLS[outcomes[name] ?? ''] ?? ''),
    }));
    const uneven = rows.filter(({ cells }) => cells.some(cell => cell !== 'yes' && cell !== ''));
    const even = rows.filter(one => !uneven.includes(one));
    for (const { name, cells } of uneven) lines.push(row([name.replaceAll('|', '\\|'), ...cells]));
    const tried = columns.map((_, at) => (even.some(({ cells }) => cells[at] === 'yes') ? 'yes' : ''));
    lines.push(row([`${even.length} more of ${group}`, ...tried]));
  }
  return lines.join('\n');
}
