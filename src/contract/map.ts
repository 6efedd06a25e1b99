/**
 * A map as it is told: typed, exact, compact. A worker makes it of what bpftrace printed; the words are those of
 * the tools' contract (hence snake_case), where `src/results/map-schema.ts` has the same as a schema.
 */

/** Up to 65 bits, signed: a number, or a string of its digits where a double cannot hold it. */
export type Integer = number | string;

export interface Frame {
  /** A function, or an address (`0x…`) where bpftrace could not resolve it. */
  symbol: string;
  /** Bytes into the function; absent when bpftrace gives none, and where stacks that differ only in it were merged. */
  offset?: number | undefined;
  module?: string | undefined;
  /** Where the program asked for it (`perf`). */
  address?: string | undefined;
}

/** lower <= x < upper; null where it is open. bpftrace's own labels stay text. */
export type Bounds = [lower: Integer | null, upper: Integer | null];
/** Those bounds, and how many values fell into them. */
export type Bucket = [lower: Integer | null, upper: Integer | null, count: Integer];

export interface Histogram {
  count: Integer;
  /** The bucket which the median falls into: its width is the error. Absent where the histogram is empty. */
  p50?: Bounds | undefined;
  p90?: Bounds | undefined;
  p99?: Bounds | undefined;
  /** Ascending, without the empty ones. */
  buckets: Bucket[];
}

export interface Statistics {
  count: Integer;
  average: Integer;
  total: Integer;
}

/** One interval of a time series; `at` is local time, as bpftrace writes it. */
export interface SeriesPoint {
  at: string;
  value: Integer | string | null;
}

export type MapValue =
  | Integer
  | string
  | boolean
  | null
  | Histogram
  | Statistics
  | SeriesPoint[]
  | Frame[]
  | readonly TupleMember[]
  | { [field: string]: TupleMember };
/** Of a tuple or a structure, nested as they are. */
export type TupleMember =
  | Integer
  | string
  | boolean
  | null
  | Frame[]
  | readonly TupleMember[]
  | { [field: string]: TupleMember };

/** The functions that are assigned to a map. */
export const MAP_FUNCTIONS = [
  'count',
  'sum',
  'min',
  'max',
  'avg',
  'stats',
  'hist',
  'lhist',
  'tseries',
] as const;

/**
 * How a map came by its values. `scalar`: a number or text, assigned, or of a function that could not be told from
 * the program's text.
 */
export const MAP_KINDS = [...MAP_FUNCTIONS, 'scalar', 'tuple', 'struct', 'stack'] as const;
export type MapKind = (typeof MAP_KINDS)[number];

/** What a part of a key is; `any`: text or digits, which the program's text does not tell apart. */
export const KEY_TYPES = ['int', 'text', 'stack', 'any'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export type KeyPart = Integer | string | Frame[];

export interface MapEntry {
  /** Its parts; a single text where they could not be told apart with certainty. */
  key: KeyPart[];
  value: MapValue;
}

export interface TypedMap {
  /** With the `@`. */
  name: string;
  kind: MapKind;
  /** Of a map without keys. */
  value?: MapValue | undefined;
  /** The type of each part of the key; absent of a map without keys. */
  keys?: KeyType[] | undefined;
  /** Largest value first. */
  entries?: MapEntry[] | undefined;
  /** Entries there are, those left out included. */
  entries_total?: number | undefined;
  /** Entries left out, the smallest; the sum of their values (of a histogram or statistics: of their counts). */
  omitted?: { entries: number; sum?: Integer | undefined } | undefined;
  /** Stacks that differed from another one only in offsets and were added to it. */
  stacks_merged?: number | undefined;
  /** Why keys of several parts stand whole. */
  keys_unsplit?: string | undefined;
  /** It holds as many keys as it can: further ones are missing. */
  full?: true | undefined;
  /** Values and keys that are as long as max_strlen lets them be, and were probably cut. */
  strings_cut?: number | undefined;
  /** Strings that were no UTF-8: in them odd bytes stand as U+DC80 to U+DCFF, and are shown as `\xff`. */
  strings_not_utf8?: number | undefined;
  /** 0.27 took the blanks out of texts in its keys. */
  blanks_lost?: true | undefined;
  /** Updates that found it full and were lost (0.22 and later count them). */
  updates_lost?: number | undefined;
}
