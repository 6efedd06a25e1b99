/** Values of a sorted copy at its ends, in the middle and at the quarters. */
export interface Spread {
  min: number;
  q1: number;
  median: number;
  q3: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => {
    const place = (sorted.length - 1) * share;
    const below = sorted[Math.floor(place)] ?? Number.NaN;
    const above = sorted[Math.ceil(place)] ?? Number.NaN;
    return below + (above - below) * (place - Math.floor(place));
  };
  return { min: at(0), q1: at(0.25), median: at(0.5), q3: at(0.75), max: at(1) };
}

export function medianOf(values: readonly number[]): number {
  return spreadOf(values).median;
}

/** The value that `percent` of them do not exceed. */
export function percentileOf(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = Math.ceil((sorted.length * percent) / 100) - 1;
  return sorted[Math.max(0, place)] ?? Number.NaN;
}

/** `median (min to max)` */
export function show({ min, median, max }: Pick<Spread, 'min' | 'median' | 'max'>, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

/** Three figures that count, as people write them: 1234, 12.3, 0.00123. */
export function significant(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/**
 * The k of cost = c · load^k that fits best: 1 grows with the load, 2 with its square, 0 not at all. The slope of
 * the line of least squares through the logarithms.
 */
export function exponentOf(points: readonly { load: number; cost: number }[]): number {
  const logs = points.map(({ load, cost }) => [Math.log(load), Math.log(cost)] as const);
  const mean = (pick: 0 | 1): number => logs.reduce((sum, point) => sum + point[pick], 0) / logs.length;
  const [meanLoad, meanCost] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [load, cost]) => sum + (load - meanLoad) * (cost - meanCost), 0);
  const variance = logs.reduce((sum, [load]) => sum + (load - meanLoad) ** 2, 0);
  return covariance / variance;
}
