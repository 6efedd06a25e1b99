/** A bench prints what it measured; it throws when the work it compared was not equal. */
export interface Bench {
  name: string;
  about: string;
  run(say: (line: string) => void): Promise<void>;
}
