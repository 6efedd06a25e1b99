import { LRUCache } from 'lru-cache';

interface StoreLimits {
  ttlMs: number;
  maxCount: number;
  maxBytes: number;
}

/** What the store needs to know of a finished execution. */
export interface Stored {
  readonly id: string;
  readonly client: string;
  /** Memory that it alone holds. */
  readonly ownBytes: number;
  /** What it holds together with others, perhaps. */
  readonly contents: Contents;
}

/** Held once, by however many. */
export interface Contents {
  readonly bytes: number;
}

interface Shelf<T> {
  /** Oldest first. */
  entries: Set<T>;
  /** Each result in full, shared or not. */
  bytes: number;
}

/**
 * Finished executions, bounded by age, count and bytes. The age counts from the end of the execution, by the
 * monotonic clock, and reading does not renew it. Beyond the count or the bytes, the client that holds the most
 * loses its oldest, so that nobody's results are pushed out by the flood of another. Executions that have not
 * ended do not stand here, so they can't be evicted.
 */
export class ResultStore<T extends Stored> {
  /** Holds them by age; the bounds are kept here. */
  private readonly entries: LRUCache<string, T>;
  private readonly shelves = new Map<string, Shelf<T>>();
  private readonly holders = new Map<Contents, number>();
  private bytesNow = 0;

  constructor(private readonly limits: StoreLimits) {
    this.entries = new LRUCache<string, T>({
      ttl: limits.ttlMs,
      // Memory is given back when the hour is over, not when somebody next asks.
      ttlAutopurge: true,
      dispose: stored => this.forget(stored),
    });
  }

  /** @param clientBytesMax of all that its client holds; the newest stays in any case */
  add(stored: T, clientBytesMax = Number.POSITIVE_INFINITY): void {
    this.entries.set(stored.id, stored);
    this.remember(stored);
    const shelf = this.shelves.get(stored.client);
    while (shelf && shelf.bytes > clientBytesMax && shelf.entries.size > 1) this.evictFrom(shelf);
    const { maxCount, maxBytes } = this.limits;
    let isLess = true;
    while (isLess && this.count > maxCount) isLess = this.evict(stored, ({ entries }) => entries.size);
    while (isLess && this.bytes > maxBytes) isLess = this.evict(stored, ({ bytes }) => bytes);
  }

  /** `peek`, so that a look does not make an entry younger than one that ended after it. */
  get(id: string): T | undefined {
    return this.entries.peek(id);
  }

  /** Of one client, newest first. */
  of(client: string): T[] {
    return [...(this.shelves.get(client)?.entries ?? [])].reverse();
  }

  get count(): number {
    return this.entries.size;
  }

  get bytes(): number {
    return this.bytesNow;
  }

  /** The oldest of who has the most, but never `kept`; false when there is no other. */
  private evict(kept: T, measure: (shelf: Shelf<T>) => number): boolean {
    let most: Shelf<T> | undefined;
    for (const shelf of this.shelves.values()) {
      if (shelf.entries.size === 1 && shelf.entries.has(kept)) continue;
      if (!most || measure(shelf) > measure(most)) most = shelf;
    }
    if (most) this.evictFrom(most);
    return most !== undefined;
  }

  private evictFrom({ entries }: Shelf<T>): void {
    for (const oldest of entries) {
      this.entries.delete(oldest.id);
      return;
    }
  }

  private remember(stored: T): void {
    const { client, ownBytes, contents } = stored;
    const shelf = this.shelves.get(client) ?? { entries: new Set(), bytes: 0 };
    this.shelves.set(client, shelf);
    shelf.entries.add(stored);
    shelf.bytes += ownBytes + contents.bytes;
    const holders = this.holders.get(contents) ?? 0;
    this.holders.set(contents, holders + 1);
    this.bytesNow += ownBytes + (holders === 0 ? contents.bytes : 0);
  }

  private forget(stored: T): void {
    const { client, ownBytes, contents } = stored;
    const shelf = this.shelves.get(client);
    if (!shelf?.entries.delete(stored)) return;
    shelf.bytes -= ownBytes + contents.bytes;
    if (shelf.entries.size === 0) this.shelves.delete(client);
    const holders = (this.holders.get(contents) ?? 1) - 1;
    if (holders === 0) this.holders.delete(contents);
    else this.holders.set(contents, holders);
    this.bytesNow -= ownBytes + (holders === 0 ? contents.bytes : 0);
  }
}
