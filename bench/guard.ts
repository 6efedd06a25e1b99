import { boundText, isWithin } from './figure.js';
import { figuresOf, type Report } from './report.js';
import { medianOf, significant } from './statistics.js';

export interface GuardVerdict {
  held: string[];
  /** What is worse than which bound, and what could not be told. */
  broken: string[];
}

/**
 * The median of each guarded figure against its bound. Bounds are wide: what breaks one is no noise. A bench that
 * failed guards nothing, and is told as broken.
 */
export function judge(report: Report): GuardVerdict {
  const verdict: GuardVerdict = { held: [], broken: [] };
  for (const { name, failed } of report.benches)
    if (failed !== undefined) verdict.broken.push(`${name}: could not be measured: ${failed}`);
  for (const { bench, name, unit, sides, ratios, guard } of figuresOf(report)) {
    if (!guard) continue;
    const median = medianOf(ratios);
    const what = sides.length > 1 ? `${sides[0]?.name} by ${sides[1]?.name}` : unit;
    const line = `${bench}: ${name}: ${significant(median)} (${what}), must be ${boundText(guard)}`;
    (isWithin(median, guard) ? verdict.held : verdict.broken).push(line);
  }
  if (verdict.held.length + verdict.broken.length === 0)
    verdict.broken.push('no figure with a bound was measured');
  return verdict;
}
