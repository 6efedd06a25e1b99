import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import type { Summary } from '../engine/index.js';

const PAGE = 50;

/**
 * One page of a client's executions, newest first. The cursor is the id of the last one given, so that new
 * executions, which come before it, move nothing.
 * @throws McpError when the one it names has been forgotten
 */
export function pageOf(all: readonly Summary[], cursor: string | undefined) {
  const last = all.findIndex(({ execution_id }) => execution_id === cursor);
  if (cursor !== undefined && last < 0) {
    throw new McpError(
      ErrorCode.InvalidParams,
      'the cursor names no execution any more; list from the start',
    );
  }
  const page = all.slice(last + 1, last + 1 + PAGE);
  const more = last + 1 + PAGE < all.length;
  return { page, nextCursor: more ? page.at(-1)?.execution_id : undefined };
}
