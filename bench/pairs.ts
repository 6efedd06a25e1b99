/** What a side did, so that two can be compared: counts, names, statuses. */
export type Work = Readonly<Record<string, string | number | boolean>>;

export interface Sample {
  /** What was measured, by name. */
  values: Readonly<Record<string, number>>;
  work: Work;
}

/** What two sides did was not the same, so that a ratio of what it took would say nothing. */
export class UnequalWork extends Error {
  override name = 'UnequalWork';
}

/**
 * Runs the sides one after the other, `pairs` times, and every other time in reverse order: what drifts, or comes of
 * being the first, hits both. Each pair's work is compared at once.
 * @param differs says what is unequal between two sides' work; without it, any difference is
 * @throws UnequalWork
 */
export async function alternate<Name extends string>(
  pairs: number,
  sides: Readonly<Record<Name, (pair: number) => Promise<Sample>>>,
  differs: (work: Work, other: Work) => string | undefined = difference,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(sides) as Name[];
  const samples = Object.fromEntries(names.map(name => [name, [] as Sample[]])) as Record<Name, Sample[]>;
  for (let pair = 0; pair < pairs; pair++) {
    for (const name of pair % 2 === 0 ? names : names.toReversed())
      samples[name].push(await sides[name](pair));
    const [first, ...others] = names;
    if (first === undefined) continue;
    for (const other of others) {
      const [ours, theirs] = [samples[first].at(-1), samples[other].at(-1)];
      const unequal = ours && theirs && differs(ours.work, theirs.work);
      if (unequal) throw new UnequalWork(`pair ${pair + 1}, ${first} and ${other}: ${unequal}`);
    }
  }
  return samples;
}

/** The first thing in which two sides' work is not the same. */
export function difference(work: Work, other: Work): string | undefined {
  for (const key of new Set([...Object.keys(work), ...Object.keys(other)]))
    if (work[key] !== other[key])
      return `${key} is ${JSON.stringify(work[key])} here and ${JSON.stringify(other[key])} there`;
  return undefined;
}

/** One measured value of each sample. */
export function samplesOf(samples: readonly Sample[], value: string): number[] {
  return samples.map(({ values }) => {
    const measured = values[value];
    if (measured === undefined) throw new Error(`no ${value} was measured`);
    return measured;
  });
}
