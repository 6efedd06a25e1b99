import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, with a bound; fails with `what` when the bound is reached. Its value is given back. */
export async function until<T>(
  what: string,
  boundMs: number,
  condition: () => T | Promise<T>,
): Promise<NonNullable<T>> {
  const begun = performance.now();
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (performance.now() - begun > boundMs) throw new Error(`not within ${boundMs} ms: ${what}`);
    await sleep(10);
  }
}
