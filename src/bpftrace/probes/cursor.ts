import { createHash } from 'node:crypto';
import { Refusal } from '../../contract/errors.js';
import type { PageStart } from '../../contract/probes.js';

/** A page's end, opaque to the client and bound to its filter. */
export function cursorFor(filter: string, { after, offset, generation }: PageStart): string {
  return Buffer.from(JSON.stringify([markOf(filter), offset, generation, after])).toString('base64url');
}

/** @throws Refusal `invalid_argument` for a cursor that is none, or another filter's */
export function startOf(filter: string, cursor: string): PageStart {
  const [mark, offset, generation, after] = parsed(cursor);
  if (
    typeof offset !== 'number' ||
    !Number.isSafeInteger(offset) ||
    offset < 0 ||
    typeof generation !== 'number' ||
    typeof after !== 'string'
  )
    throw refused('this is no cursor');
  if (mark !== markOf(filter)) throw refused('this cursor belongs to another filter');
  return { after, offset, generation };
}

/** The place that a cursor points at is gone. */
export function goneCursor(): Refusal {
  return refused('the list of probes has changed since that page, and its last probe is gone');
}

function parsed(cursor: string): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

function markOf(filter: string): string {
  return createHash('sha256').update(filter).digest('base64url').slice(0, 8);
}

function refused(what: string): Refusal {
  return new Refusal(
    'invalid_argument',
    what,
    'pass next_cursor of the page before with the same filter, or no cursor for the first page',
  );
}
