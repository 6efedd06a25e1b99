import { LRUCache } from 'lru-cache';

interface StoreLimits {
  ttlMs: number;
  maxCount: number;
  maxBytes: number;
}

/** What the store needs to know of a finished execution. */
export interface Stored {
  readonly id: string;
  /** Memory it holds. */
  readonly bytes: number;
}

/**
 * Finished executions, bounded by age, count and bytes. The age counts from the end of the execution, by the
 * monotonic clock, and reading does not renew it: whoever comes first, the oldest finished goes first.
 * Executions that have not ended do not stand here, so they can't be evicted.
 */
export class ResultStore<T extends Stored> {
  private readonly entries: LRUCache<string, T>;

  constructor(limits: StoreLimits) {
    this.entries = new LRUCache<string, T>({
      max: limits.maxCount,
      maxSize: limits.maxBytes,
      sizeCalculation: stored => Math.max(1, Math.min(stored.bytes, limits.maxBytes)),
      ttl: limits.ttlMs,
      // Memory is given back when the hour is over, not when somebody next asks.
      ttlAutopurge: true,
    });
  }

  add(stored: T): void {
    this.entries.set(stored.id, stored);
  }

  /** `peek`, so that a look does not make an entry younger than one that ended after it. */
  get(id: string): T | undefined {
    return this.entries.peek(id);
  }

  /** Newest first. */
  *values(): Generator<T> {
    yield* this.entries.values();
  }

  get count(): number {
    return this.entries.size;
  }

  get bytes(): number {
    return this.entries.calculatedSize;
  }
}
