import { type Spread, spreadOf } from './statistics.js';

/** What a median has to be. `wanted` is what the project promises, `guard` what a change must not make worse. */
export type Bound = { atMost: number } | { atLeast: number };

/** The samples of one side, one a pair. */
export interface Side {
  name: string;
  samples: number[];
}

/** One comparison, as the report holds it: plain data. */
export interface Figure {
  name: string;
  unit: string;
  /** Ours first. One alone where nothing does the same work. */
  sides: Side[];
  /** Of each pair, ours by the other's; or what a bound is on, where there is no other side. */
  ratios: number[];
  wanted?: Bound;
  guard?: Bound;
  note?: string;
}

interface Compared {
  name: string;
  unit: string;
  ours: Side;
  rival: Side;
  wanted?: Bound | undefined;
  guard?: Bound | undefined;
  note?: string | undefined;
}

/** Ours by the rival's, pair by pair: what disturbs the machine disturbs both halves of a pair. */
export function compare({ ours, rival, ...rest }: Compared): Figure {
  if (ours.samples.length !== rival.samples.length || ours.samples.length === 0)
    throw new Error(
      `${rest.name}: ${ours.samples.length} samples of ${ours.name}, ${rival.samples.length} of ${rival.name}`,
    );
  const ratios = ours.samples.map((value, pair) => value / (rival.samples[pair] ?? Number.NaN));
  return figureOf({ ...rest, sides: [ours, rival], ratios });
}

/** A figure that is bounded as it is: a p99 in ms, an exponent. */
export function absolute(figure: Omit<Compared, 'ours' | 'rival'> & { ours: Side }): Figure {
  const { ours, ...rest } = figure;
  return figureOf({ ...rest, sides: [ours], ratios: ours.samples });
}

type Loose = Omit<Figure, 'wanted' | 'guard' | 'note'> & {
  wanted?: Bound | undefined;
  guard?: Bound | undefined;
  note?: string | undefined;
};

function figureOf({ wanted, guard, note, ...rest }: Loose): Figure {
  for (const ratio of rest.ratios)
    if (!Number.isFinite(ratio)) throw new Error(`${rest.name}: a sample is ${ratio}`);
  return { ...rest, ...(wanted && { wanted }), ...(guard && { guard }), ...(note !== undefined && { note }) };
}

/** `uncertain`: the bound lies between the quartiles, so that another run may say otherwise. */
export type Verdict = 'met' | 'missed' | 'uncertain';

export function verdictOf(ratios: readonly number[], bound: Bound): Verdict {
  const { q1, median, q3 } = spreadOf(ratios);
  const limit = limitOf(bound);
  if (q1 < limit && limit < q3) return 'uncertain';
  return isWithin(median, bound) ? 'met' : 'missed';
}

export function isWithin(value: number, bound: Bound): boolean {
  return 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
}

export function limitOf(bound: Bound): number {
  return 'atMost' in bound ? bound.atMost : bound.atLeast;
}

export function boundText(bound: Bound): string {
  return `${'atMost' in bound ? '≤' : '≥'} ${limitOf(bound)}`;
}

/** Whether its bound is on a ratio of two sides, or on what one side measured. */
export function isRatio({ sides }: Figure): boolean {
  return sides.length > 1;
}

export function spreadOfFigure({ ratios }: Figure): Spread {
  return spreadOf(ratios);
}
