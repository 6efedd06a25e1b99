import type { Figure } from './figure.js';

/**
 * A bench measures what it compares in alternating pairs (pairs.ts) and hands its figures in as it has them. It
 * throws when the work it compared was not equal, or when what it measured did not do its work.
 */
export interface Bench {
  name: string;
  about: string;
  /** Not among those that run when none is named. */
  onlyNamed?: true;
  /** Some of its figures have a bound of the regression guard. */
  guarded?: true;
  run(context: BenchContext): Promise<void>;
}

export interface BenchContext {
  say(line: string): void;
  /** Prints a figure and keeps it for the report. */
  figure(figure: Figure): void;
  /** How many pairs to run: the caller's number, or what the bench finds enough. */
  pairs(usual: number): number;
  /** Of those that last as long as one likes. */
  minutes: number;
  /** The installed bpftrace's: `0.17`. */
  release: string;
  /** Says how a figure that is guarded stands; benches leave out what has no bound. */
  guardOnly: boolean;
}
