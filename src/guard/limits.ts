/**
 * When the machine itself counts as in distress, as `memory:40,load:50,available:128`:
 *
 *   cpu, io, memory  pressure (/proc/pressure): percent of the last 10 s in which something waited for a processor
 *                    (`some`), or everything that wanted to run waited for io or memory (`full`)
 *   load             load average of a minute, for each processor
 *   available        memory that can still be had (MemAvailable), in MiB: the least
 */
export const GUARDED = ['cpu', 'io', 'memory', 'load', 'available'] as const;
export type Guarded = (typeof GUARDED)[number];
export type GuardLimits = Partial<Record<Guarded, number>>;

/** No limits for `off`; undefined for what can't be read as limits. */
export function parseLimits(text: string): GuardLimits | undefined {
  if (text === 'off') return {};
  const limits: GuardLimits = {};
  for (const part of text.split(',')) {
    const [, name, value] = /^\s*([a-z]+):(\d{1,9}(?:\.\d{1,3})?)\s*$/.exec(part) ?? [];
    const guarded = GUARDED.find(one => one === name);
    if (!guarded || value === undefined || limits[guarded] !== undefined) return undefined;
    limits[guarded] = Number(value);
  }
  return limits;
}
