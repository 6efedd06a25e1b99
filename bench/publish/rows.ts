import { type Bound, isRatio, type Verdict, verdictOf } from '../figure.js';
import { releaseOf } from '../machine.js';
import { figuresOf, type Report } from '../report.js';
import { medianOf, spreadOf } from '../statistics.js';

/** A figure in one run: the ratio, or the value where nothing does the same work. */
export interface Cell {
  /** Of bpftrace, `0.17`. */
  release: string;
  median: number;
  q1: number;
  q3: number;
  wanted?: Bound;
  verdict?: Verdict;
  /** Medians of the sides of a ratio. */
  sides?: number[];
}

/** A figure in several runs, each with another bpftrace. */
export interface Row {
  bench: string;
  name: string;
  unit: string;
  /** Ours and the rival; one name alone: no ratio. */
  between: string[];
  cells: Cell[];
}

/** One report a release: the first one's, with the benches of later ones in their places or behind. */
export function joinedByRelease(reports: readonly Report[]): Report[] {
  const joined = new Map<string, Report>();
  for (const report of reports) {
    const release = releaseOf(report.machine);
    const { benches, ...about } = joined.get(release) ?? { ...report, benches: [] };
    const byName = new Map([...benches, ...report.benches].map(bench => [bench.name, bench]));
    joined.set(release, { ...about, benches: [...byName.values()] });
  }
  return [...joined.values()];
}

/** The figures of several runs side by side, in the order of the first that has them. */
export function rowsOf(reports: readonly Report[]): Row[] {
  const rows = new Map<string, Row>();
  for (const report of reports) {
    const release = releaseOf(report.machine);
    for (const figure of figuresOf(report)) {
      const { bench, name, unit, sides, ratios, wanted } = figure;
      const key = `${bench}: ${name}`;
      const row = rows.get(key) ?? { bench, name, unit, between: sides.map(side => side.name), cells: [] };
      const { median, q1, q3 } = spreadOf(ratios);
      row.cells.push({
        release,
        median,
        q1,
        q3,
        ...(wanted && { wanted, verdict: verdictOf(ratios, wanted) }),
        ...(isRatio(figure) && { sides: sides.map(({ samples }) => medianOf(samples)) }),
      });
      rows.set(key, row);
    }
  }
  return [...rows.values()];
}

export function isRatioRow({ between }: Row): boolean {
  return between.length > 1;
}
