import type { Logger } from 'pino';
import type { TraceEngine } from '../engine/index.js';
import type { TokenFile } from '../tokens/token-file.js';

/** What SIGHUP does where many are served: files that were changed or moved are looked at anew, and it is said what came of it. */
export function reload(engine: TraceEngine, tokens: TokenFile | undefined, log: Logger): void {
  const audit = engine.reopenAudit();
  const change = tokens?.reload();
  const failed = audit?.problem !== undefined || change?.problem !== undefined;
  log[failed ? 'error' : 'info'](
    { ...(change && { tokens: change }), ...(audit && { audit }) },
    change || audit ? 'reloaded' : 'there is nothing to reload: neither tokens nor an audit file',
  );
}
