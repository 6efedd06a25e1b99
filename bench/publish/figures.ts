import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../test/support/fixtures.js';
import { boundText } from '../figure.js';
import type { Machine } from '../machine.js';
import { releaseOf } from '../machine.js';
import { significant } from '../statistics.js';
import { type Cell, isRatioRow, type Row } from './rows.js';

/** What the README shows: the runs that were published last. Both files stand in the tree. */
export const FIGURES_FILE = join(repositoryRoot(), 'bench', 'figures.json');
export const CHART_FILE = join(repositoryRoot(), 'bench', 'figures.svg');

export interface Published {
  /** One a run. */
  machines: Omit<Machine, 'settings'>[];
  rows: Row[];
}

/** The README's part: what ran, and each figure by version. */
export function figuresMarkdown(): string {
  if (!existsSync(FIGURES_FILE)) return 'Not measured yet.';
  const { machines, rows }: Published = JSON.parse(readFileSync(FIGURES_FILE, 'utf8'));
  const [machine] = machines;
  if (!machine) return 'Not measured yet.';
  const releases = machines.map(one => releaseOf({ ...one, settings: {} }));
  const loads = machines.map(({ load }) => load.toFixed(1));
  return [
    `${machine.cores} × ${machine.processor}, Linux ${machine.kernel}, node ${machine.node}, load before ${loads.join(', ')}; MCPtrace ${machine.peer ?? 'was not there'}. Medians, in brackets the quartiles.`,
    '',
    '![Each figure as a ratio on a logarithmic scale, with the bound that is wanted](bench/figures.svg)',
    '',
    `| figure | ${releases.map(release => `bpftrace ${release}`).join(' | ')} | wanted |`,
    `| --- | ${releases.map(() => '---').join(' | ')} | --- |`,
    ...rows.map(row => rowMarkdown(row, releases)),
  ].join('\n');
}

function rowMarkdown(row: Row, releases: readonly string[]): string {
  const cells = releases.map(release => {
    const cell = row.cells.find(one => one.release === release);
    return cell ? cellMarkdown(cell, row) : '';
  });
  const bounds = new Set(row.cells.map(({ wanted }) => (wanted ? boundText(wanted) : '')));
  const over = isRatioRow(row) ? ` (${row.between.join(' / ')})` : '';
  return `| \`${row.bench}\` ${`${row.name}${over}`.replaceAll('|', '\\|')} | ${cells.join(' | ')} | ${[...bounds].filter(Boolean).join(', ')} |`;
}

function cellMarkdown({ median, q1, q3, verdict, sides }: Cell, row: Row): string {
  const spread = q1 === q3 ? '' : ` (${significant(q1)} to ${significant(q3)})`;
  const missed = verdict === 'missed' ? ', missed' : verdict === 'uncertain' ? ', within the noise' : '';
  const unit = isRatioRow(row) ? '' : ` ${row.unit}`;
  const measured = sides ? `; ${sides.map(significant).join(' and ')} ${row.unit}` : '';
  return `${significant(median)}${unit}${spread}${missed}${measured}`;
}
