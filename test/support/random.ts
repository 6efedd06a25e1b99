/** A seeded generator (mulberry32), so that a failing run can be run again: the seed stands in the test's name. */
export function seeded(seed: number): { next(): number; below(bound: number): number } {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: bound => Math.floor(next() * bound) };
}
