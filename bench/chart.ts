import { boundText, limitOf } from './figure.js';
import { isRatioRow, type Row } from './publish/rows.js';
import { significant } from './statistics.js';

/**
 * Ratios on a logarithmic scale, one row a figure and one dot a run (another bpftrace each), with a line from the
 * lower to the upper quartile, and a mark where the dot is wanted: it points to the side that is good. Text is text,
 * and colours follow the reader's light or dark.
 */
const LABEL_WIDTH = 390;
const PLOT_WIDTH = 420;
const VALUE_WIDTH = 130;
const WIDTH = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH;
const TOP = 58;
const LANE_HEIGHT = 13;
const ROW_GAP = 11;
const CHARACTERS_MAX = 62;

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.faint { fill: #57606a; font-size: 11px; }
.back { fill: #ffffff; } .grid { stroke: #d0d7de; } .one { stroke: #57606a; stroke-width: 1.5; }
.s0 { fill: #0969da; stroke: #0969da; } .s1 { fill: #bc4c00; stroke: #bc4c00; } .s2 { fill: #1a7f37; stroke: #1a7f37; }
.bound { fill: none; stroke: #cf222e; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .faint { fill: #9198a1; }
  .back { fill: #0d1117; } .grid { stroke: #3d444d; } .one { stroke: #9198a1; }
  .s0 { fill: #4493f8; stroke: #4493f8; } .s1 { fill: #f0883e; stroke: #f0883e; } .s2 { fill: #3fb950; stroke: #3fb950; }
  .bound { stroke: #ff7b72; }
}`;

/** An SVG of those rows that are ratios. */
export function chart(rows: readonly Row[]): string {
  const shown = rows.filter(isRatioRow);
  const releases = [...new Set(shown.flatMap(({ cells }) => cells.map(({ release }) => release)))].sort();
  const { from, to } = decades(shown);
  const x = (ratio: number): number =>
    LABEL_WIDTH + (PLOT_WIDTH * (Math.log10(ratio) - from)) / Math.max(1, to - from);
  const parts: string[] = [];
  let y = TOP;
  for (const row of shown) {
    const height = row.cells.length * LANE_HEIGHT;
    parts.push(text(LABEL_WIDTH - 10, y + height / 2 + 4, label(row), 'end'));
    row.cells.forEach((cell, lane) => {
      const middle = y + lane * LANE_HEIGHT + LANE_HEIGHT / 2;
      const series = `s${releases.indexOf(cell.release) % 3}`;
      parts.push(
        `<line class="${series}" x1="${at(x(cell.q1))}" x2="${at(x(cell.q3))}" y1="${middle}" y2="${middle}" stroke-width="3" stroke-opacity="0.45"/>`,
        `<circle class="${series}" cx="${at(x(cell.median))}" cy="${middle}" r="4"/>`,
      );
      if (cell.wanted) parts.push(mark(x(limitOf(cell.wanted)), middle, 'atMost' in cell.wanted));
      const wanted = cell.wanted ? ` (${boundText(cell.wanted)})` : '';
      parts.push(
        text(
          LABEL_WIDTH + PLOT_WIDTH + 10,
          middle + 4,
          `${significant(cell.median)}${wanted}`,
          'start',
          'faint',
        ),
      );
    });
    y += height + ROW_GAP;
  }
  const bottom = y;
  const height = bottom + 26;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    '<title>What bpftrace-mcp takes, by what another way takes</title>',
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}" rx="6"/>`,
    ...legend(releases),
    ...axis(from, to, x, bottom),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function legend(releases: readonly string[]): string[] {
  const entries = releases.flatMap((release, i) => [
    `<circle class="s${i % 3}" cx="${LABEL_WIDTH + i * 120 + 6}" cy="16" r="4"/>`,
    text(LABEL_WIDTH + i * 120 + 15, 20, `bpftrace ${release}`, 'start'),
  ]);
  const right = LABEL_WIDTH + PLOT_WIDTH + 10;
  return [
    ...entries,
    mark(right, 16, true),
    text(right + 12, 20, 'wanted', 'start'),
    text(LABEL_WIDTH - 10, 20, 'median of the ratios of pairs, and quartiles', 'end', 'faint'),
  ];
}

function axis(from: number, to: number, x: (ratio: number) => number, bottom: number): string[] {
  const lines: string[] = [];
  for (let power = from; power <= to; power++) {
    const place = at(x(10 ** power));
    const label = power === 0 ? 'the same' : power > 0 ? `${10 ** power}×` : `1/${10 ** -power}`;
    lines.push(
      `<line class="${power === 0 ? 'one' : 'grid'}" x1="${place}" x2="${place}" y1="${TOP - 10}" y2="${bottom}"/>`,
      text(Number(place), TOP - 16, label, 'middle', 'faint'),
    );
  }
  return lines;
}

/** A bracket that opens to the good side. */
function mark(x: number, y: number, isUpper: boolean): string {
  const inward = isUpper ? -4 : 4;
  return `<path class="bound" d="M${at(x + inward)} ${y - 6}H${at(x)}V${y + 6}H${at(x + inward)}"/>`;
}

/** Whole powers of ten around all that is drawn, 1 among them. */
function decades(rows: readonly Row[]): { from: number; to: number } {
  const values = rows.flatMap(({ cells }) =>
    cells.flatMap(({ q1, q3, wanted }) => [q1, q3, ...(wanted ? [limitOf(wanted)] : [])]),
  );
  const logs = values.filter(value => value > 0).map(Math.log10);
  return { from: Math.floor(Math.min(-1, ...logs)), to: Math.ceil(Math.max(0.3, ...logs)) };
}

function label({ bench, name }: Row): string {
  const whole = `${bench}: ${name}`;
  return whole.length > CHARACTERS_MAX ? `${whole.slice(0, CHARACTERS_MAX - 1)}…` : whole;
}

function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  look?: string,
): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"${look ? ` class="${look}"` : ''}>${escaped}</text>`;
}

function at(place: number): string {
  return place.toFixed(1).replace(/\.0$/, '');
}
