import type { Release } from '../version.js';

export const HELPER_KINDS = ['function', 'map_function', 'builtin', 'probe_type'] as const;
export type HelperKind = (typeof HELPER_KINDS)[number];

interface Extent {
  /** First release that has it; absent when 0.17, the oldest release this reference covers, has it. */
  since?: Release;
  /** First release that no longer has it. */
  until?: Release;
  /** bpftrace compiles it only under --unsafe. */
  unsafe?: true;
}

export interface Entry extends Extent {
  /** Unique within its kind. */
  name: string;
  kind: HelperKind;
  signature: string;
  /** At most 200 characters: what it gives, in which unit, and the trap if there is one. */
  description: string;
  /** A complete program: it compiles on every release that has the entry, and on no other. */
  example: string;
}

type Define = (
  name: string,
  signature: string,
  description: string,
  example: string,
  extent?: Extent,
) => Entry;

/** A maker of entries of one kind, so that the tables below stay one glance an entry. */
export function define(kind: HelperKind): Define {
  return (name, signature, description, example, extent = {}) => ({
    name,
    kind,
    signature,
    description,
    example,
    ...extent,
  });
}
