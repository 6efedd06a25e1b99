import { z } from 'zod';
import { type Frame, KEY_TYPES, MAP_KINDS, type MapValue, type TypedMap } from '../contract/map.js';

/** The types of `src/contract/map.ts`, as a client sees them. */

const integer = z.union([z.number(), z.string()]);
const frameSchema: z.ZodType<Frame> = z.object({
  symbol: z.string(),
  offset: z.number().int().optional(),
  module: z.string().optional(),
  address: z.string().optional(),
});

const valueSchema: z.ZodType<MapValue> = z
  .any()
  .describe(
    'by kind: a number or text; hist, lhist: {count, p50, p90, p99, buckets: [[lower, upper, count]]} with lower <= x < upper, null open, percentiles as the [lower, upper) they fall into; stats: {count, average, total}; tseries: [{at, value}]; stack: frames; tuple: its members. Integers beyond 2^53 are strings of their digits',
  );

export const mapSchema = z.object({
  name: z.string().describe('with the @'),
  kind: z.enum(MAP_KINDS).describe('how it came by its values; scalar: assigned'),
  value: valueSchema.optional(),
  keys: z.array(z.enum(KEY_TYPES)).optional().describe('type of each key part; absent of a map without keys'),
  entries: z
    .array(
      z.object({
        key: z.array(z.union([integer, z.array(frameSchema)])).describe('its parts; stacks as frames'),
        value: valueSchema,
      }),
    )
    .optional()
    .describe('largest value first'),
  entries_total: z.number().int().optional(),
  omitted: z
    .object({ entries: z.number().int(), sum: integer.optional() })
    .optional()
    .describe('entries left out, the smallest, and the sum of their values or counts'),
  stacks_merged: z
    .number()
    .int()
    .optional()
    .describe('stacks that differed from another only in offsets, added to it'),
  keys_unsplit: z.string().optional().describe('why keys of several parts stand whole'),
  full: z.literal(true).optional().describe('it held as many keys as it can: further ones are missing'),
  updates_lost: z.number().int().optional().describe('updates that found it full (0.22 and later)'),
  blanks_lost: z.literal(true).optional().describe('this bpftrace takes blanks out of texts in keys'),
  strings_not_utf8: z
    .number()
    .int()
    .optional()
    .describe('strings in which \\xNN stands for a byte that is no UTF-8'),
  strings_cut: z.number().int().optional().describe('strings as long as max_strlen allows, probably cut'),
}) satisfies z.ZodType<TypedMap>;
