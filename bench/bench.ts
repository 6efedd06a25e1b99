/** A bench prints what it measured; it throws when the work it compared was not equal. */
export interface Bench {
  name: string;
  about: string;
  /** Not among those that run when none is named. */
  onlyNamed?: true;
  run(say: (line: string) => void, options: BenchOptions): Promise<void>;
}

export interface BenchOptions {
  /** Of those that last as long as one likes. */
  minutes: number;
}
