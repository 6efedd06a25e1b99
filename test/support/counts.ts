/** What a run of tests came to; the last line that the runner prints says it. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const NAMES = ['passed', 'failed', 'skipped'] as const;
const LINE = /^(\d+) passed, (\d+) failed, (\d+) skipped\r?$/gm;

/** The sum of all runs in this text. */
export function countsIn(text: string): Counts {
  const runs = Array.from(text.matchAll(LINE), ([, passed, failed, skipped]) => ({
    passed: Number(passed),
    failed: Number(failed),
    skipped: Number(skipped),
  }));
  return sumOf(runs);
}

export function sumOf(runs: readonly Counts[]): Counts {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const run of runs) for (const name of NAMES) sum[name] += run[name];
  return sum;
}

export const countsLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;
