import { Refusal } from '../contract/errors.js';
import { compilePattern, type Pattern } from '../results/line-search.js';

/** What a reader wants to see of an execution. */
export interface Window {
  /**
   * Sequence number of the first line wanted. If absent: the oldest lines that are kept, and, where not all
   * fit, the newest ones beside them.
   */
  offset?: number | undefined;
  /** 0 to {@link LIMIT_MAX} lines; {@link LIMIT_DEFAULT} if absent. */
  limit?: number | undefined;
  /** Only lines in which this regular expression (RE2 syntax) matches somewhere. */
  match?: string | undefined;
  /** Entries shown of each map, the largest: 0 to {@link MAP_ENTRIES_MAX}; all if absent. */
  mapEntries?: number | undefined;
  /** Stacks that differ only in the offsets of their frames each by itself. */
  exactStacks?: boolean | undefined;
  /** Bound of the result as JSON and as text, {@link MAX_BYTES_MIN} to {@link MAX_BYTES_MAX}; no bound if absent. */
  maxBytes?: number | undefined;
}

export const LIMIT_MAX = 1000;
export const LIMIT_DEFAULT = 100;
export const MAX_BYTES_MIN = 2048;
export const MAX_BYTES_MAX = 1024 * 1024;
export const MAP_ENTRIES_MAX = 10_000;
/** Of a reply over MCP. */
export const MAP_ENTRIES_DEFAULT = 20;
/** Of a reply over MCP: hosts cut tool results, the strictest that we know of near 10 KB. */
export const MAX_BYTES_DEFAULT = 8192;

/** A window whose numbers have been checked. */
export interface CheckedWindow {
  offset: number | undefined;
  limit: number;
  pattern: Pattern | undefined;
  /** Infinity for no bound; so is the next one. */
  mapEntries: number;
  maxBytes: number;
}

/**
 * @param total lines printed so far
 * @throws Refusal `invalid_argument`, `offset_out_of_range`
 */
export function checkWindow(window: Window, total: number): CheckedWindow {
  const { offset, limit = LIMIT_DEFAULT, match, mapEntries, maxBytes } = window;
  const invalid = (message: string, next: string): Refusal => new Refusal('invalid_argument', message, next);
  if (!isCount(offset ?? 0) || !isCount(limit)) {
    throw invalid(
      `offset ${offset} and limit ${limit} must be whole numbers, 0 or more`,
      'pass next_offset of the last answer as offset',
    );
  }
  if (!isCount(mapEntries ?? 0)) {
    throw invalid(
      `map_entries is ${mapEntries}, and must be a whole number, 0 or more`,
      'pass how many entries of each map you want; all of them if absent',
    );
  }
  if (maxBytes !== undefined && !(maxBytes >= MAX_BYTES_MIN && maxBytes <= MAX_BYTES_MAX)) {
    throw invalid(
      `max_bytes is ${maxBytes}, and must be from ${MAX_BYTES_MIN} to ${MAX_BYTES_MAX}`,
      'pass one within that range, and read on with offset',
    );
  }
  if (offset !== undefined && offset > total) {
    throw new Refusal(
      'offset_out_of_range',
      `offset ${offset} is past the end: ${total} lines have been printed so far`,
      `ask with an offset from 0 to ${total}; ${total} waits for the next line`,
      { lines_total: total },
    );
  }
  return {
    offset,
    limit,
    pattern: match === undefined ? undefined : compilePattern(match),
    mapEntries: mapEntries ?? Number.POSITIVE_INFINITY,
    maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
  };
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}
