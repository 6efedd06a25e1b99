import { monotonicMs } from '../contract/cell.js';

const MINUTE_MS = 60_000;
/** Buckets are looked through for full ones when there are more. */
const SWEEP_ABOVE = 1024;

interface Bucket {
  tokens: number;
  atMs: number;
  perMinute: number;
}

/**
 * A token bucket for each client: it holds as many as may be taken in a minute, and fills at that rate. So a client
 * that was quiet may take a minute's worth at once.
 */
export class Rates {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly now: () => number = monotonicMs) {}

  /** Takes a token and gives back 0; or, where there is none, ms until there is. */
  take(client: string, perMinute: number): number {
    if (!Number.isFinite(perMinute)) return 0;
    const atMs = this.now();
    const known = this.buckets.get(client);
    const tokens = known ? Math.min(perMinute, filled(known, atMs)) : perMinute;
    if (tokens < 1) return ((1 - tokens) * MINUTE_MS) / perMinute;
    if (!known && this.buckets.size >= SWEEP_ABOVE) this.sweep(atMs);
    this.buckets.set(client, { tokens: tokens - 1, atMs, perMinute });
    return 0;
  }

  /** A full bucket is as good as none. */
  private sweep(atMs: number): void {
    for (const [client, bucket] of this.buckets)
      if (filled(bucket, atMs) >= bucket.perMinute) this.buckets.delete(client);
  }
}

function filled({ tokens, atMs, perMinute }: Bucket, nowMs: number): number {
  return tokens + ((nowMs - atMs) * perMinute) / MINUTE_MS;
}
