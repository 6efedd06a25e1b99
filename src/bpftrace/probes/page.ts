import type { DetailedProbe } from './details.js';

export const PROBE_LIMIT_DEFAULT = 50;
export const PROBE_LIMIT_MAX = 1000;
export const DETAILS_LIMIT_DEFAULT = 10;
export const DETAILS_LIMIT_MAX = 20;

export interface ProbeQuery {
  filter?: string | undefined;
  limit?: number | undefined;
  /** `next_cursor` of the page before. */
  cursor?: string | undefined;
  details?: boolean | undefined;
}

export interface ProbePage {
  probes: DetailedProbe[];
  /** On this page. */
  count: number;
  /** That match. */
  total: number;
  /** Of those that match, by provider, the largest first. */
  totals: Record<string, number>;
  /** Tracepoints by group; only without a filter. */
  groups?: Record<string, number>;
  /** No probe has all the words: these have most of them. */
  loose?: true;
  /** Nothing matches: names that are near. */
  nearest?: string[];
  /** Of the asked kind of probe this host lists none at all. */
  no_such_kind?: string;
  /** Probes that are never listed and always there, where the filter seems to ask for one. */
  always?: string[];
  /** Lines of a type's definition, where the filter names one; `count` and `total` count them. */
  definition?: string[];
  next_cursor?: string;
}
