import { parseArgs } from 'node:util';

export interface Options {
  /** Benches to run; none named: all. */
  names: string[];
  pairs: number | undefined;
  minutes: number;
  json: string | undefined;
  chart: string | undefined;
  guard: boolean;
}

export class UsageError extends Error {}

/** @throws UsageError */
export function optionsOf(argv: readonly string[], benches: readonly string[]): Options {
  const { values, positionals: names } = parsed(argv);
  const unknown = names.filter(name => !benches.includes(name));
  if (unknown.length > 0)
    throw new UsageError(`no bench ${unknown.join(', ')}; there are: ${benches.join(', ')}`);
  const pairs = values.pairs === undefined ? undefined : numberOf('pairs', values.pairs);
  if (pairs !== undefined && !Number.isInteger(pairs)) throw new UsageError('--pairs must be a whole number');
  return {
    names,
    pairs,
    minutes: numberOf('minutes', values.minutes),
    json: values.json,
    chart: values.chart,
    guard: values.guard,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        pairs: { type: 'string' },
        minutes: { type: 'string', default: '20' },
        json: { type: 'string' },
        chart: { type: 'string' },
        guard: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new UsageError(`--${name} ${text}: must be a number above 0`);
  return number;
}
