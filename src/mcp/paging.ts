import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Summary } from '../engine/index.js';

const PAGE = 50;

/**
 * Of a client's executions, newest first, those behind the one that `cursor` names: the last one given before.
 * So new executions, which come before it, move nothing. Undefined when it has been forgotten.
 */
export function behind(all: readonly Summary[], cursor: string | undefined): Summary[] | undefined {
  if (cursor === undefined) return [...all];
  const last = all.findIndex(({ execution_id }) => execution_id === cursor);
  return last < 0 ? undefined : all.slice(last + 1);
}

/** One page for the protocol's own lists. @throws McpError */
export function pageOf(all: readonly Summary[], cursor: string | undefined) {
  const rest = behind(all, cursor);
  if (!rest) {
    throw new McpError(
      ErrorCode.InvalidParams,
      'the cursor names no execution any more; list from the start',
    );
  }
  const page = rest.slice(0, PAGE);
  return { page, nextCursor: rest.length > PAGE ? page.at(-1)?.execution_id : undefined };
}
