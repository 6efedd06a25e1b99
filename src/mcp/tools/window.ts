import { z } from 'zod';
import {
  LIMIT_DEFAULT,
  LIMIT_MAX,
  MAP_ENTRIES_DEFAULT,
  MAP_ENTRIES_MAX,
  MAX_BYTES_DEFAULT,
  MAX_BYTES_MAX,
  MAX_BYTES_MIN,
  type Window,
} from '../../engine/window.js';

/** Clients give a request up after 60 s by default. */
export const MAX_WAIT_S = 50;

export const waitSchema = z.number().min(0).max(MAX_WAIT_S).optional();

/** Which lines of an execution a reply shows. */
export const lineArguments = {
  offset: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('sequence number of the first line wanted (default: the oldest, and the newest beside them)'),
  limit: z
    .number()
    .int()
    .min(0)
    .max(LIMIT_MAX)
    .optional()
    .describe(`lines wanted, 0 to ${LIMIT_MAX} (default ${LIMIT_DEFAULT})`),
  match: z
    .string()
    .optional()
    .describe('only lines in which this regular expression (RE2) is found; limit 0 counts them'),
};

/** How much of it. */
export const sizeArguments = {
  map_entries: z
    .number()
    .int()
    .min(0)
    .max(MAP_ENTRIES_MAX)
    .optional()
    .describe(`entries shown of each map, the largest (default ${MAP_ENTRIES_DEFAULT}; 0 with match)`),
  exact_stacks: z
    .boolean()
    .optional()
    .describe('stacks that differ only in offsets each by itself, not merged'),
  max_bytes: z
    .number()
    .int()
    .min(MAX_BYTES_MIN)
    .max(MAX_BYTES_MAX)
    .optional()
    .describe(`size of the reply (default ${MAX_BYTES_DEFAULT}); what does not fit is said`),
};

interface WindowArguments {
  offset?: number | undefined;
  limit?: number | undefined;
  match?: string | undefined;
  map_entries?: number | undefined;
  exact_stacks?: boolean | undefined;
  max_bytes?: number | undefined;
}

export function windowOf(args: WindowArguments): Window {
  const { offset, limit, match } = args;
  return {
    offset,
    limit,
    match,
    mapEntries: args.map_entries ?? (match === undefined ? MAP_ENTRIES_DEFAULT : 0),
    exactStacks: args.exact_stacks,
    maxBytes: args.max_bytes ?? MAX_BYTES_DEFAULT,
  };
}
