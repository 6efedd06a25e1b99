import type { AuditState } from '../audit/audit.js';
import { type Config, ConfigError, resolveConfig } from '../config.js';
import { type Launcher, launcherFor } from '../privilege/gain.js';
import { Replay } from '../recording/replay.js';
import type { ClientTerms } from './client.js';
import { ClientView } from './client-view.js';
import { Engine } from './engine.js';
import { type EngineState, stateOf } from './engine-state.js';
import type { EngineHooks } from './hooks.js';
import type { Bound } from './waiting.js';

export type { AuditState, Submission } from '../audit/audit.js';
export type { ProbePage, ProbeQuery } from '../bpftrace/probes/page.js';
export type { Helper } from '../bpftrace/reference/index.js';
export { type Config, ConfigError } from '../config.js';
export { Refusal } from '../contract/errors.js';
export { revealed, revealedBytes } from '../contract/visible.js';
export type { Result, Status, Summary } from '../results/result.js';
export type { ClientLimits, ClientTerms } from './client.js';
export { ClientView } from './client-view.js';
export type { EngineState } from './engine-state.js';
export type { Glance } from './glance.js';
export type { EngineHooks } from './hooks.js';
export type { HostInfo } from './host-info.js';
export type { EndReport } from './report.js';
export type { SubmitRequest } from './request.js';
export { SHARES, type Share } from './sharing.js';
export type { Validation } from './validation.js';
export type { Bound } from './waiting.js';
export type { Window } from './window.js';

/** A running engine. {@link TraceEngine.as} gives the view of one client; the rest is for its owner. */
export interface TraceEngine {
  readonly config: Config;
  /** Executions that can ever run at once; fewer where the machine is short of memory. */
  readonly mostAtOnce: number;
  /**
   * @param client a name; clients see and stop only their own executions
   * @param terms absent: all that the server allows
   */
  as(client: string, terms?: ClientTerms): ClientView;
  /** How it stands. */
  readonly state: EngineState;
  /** Has the audit file opened anew, where there is one. @returns how that went */
  reopenAudit(): AuditState | undefined;
  /**
   * Takes no more programs, stops those that wait, and waits until those that run have ended, or until the bound.
   * {@link close} is to follow.
   */
  drain(bound: Bound): Promise<void>;
  /** Stops every execution, waits until no child is left and ends the threads. `hurry` skips the grace period. */
  close(options?: { hurry?: boolean }): Promise<void>;
}

/**
 * The library: runs bpftrace programs with no MCP at all.
 *
 * @example
 * const engine = createEngine({ concurrency: 4 });
 * const me = engine.as('me');
 * const id = me.submit({ program: 'interval:ms:100 { @n = count(); }', deadlineMs: 1000 });
 * await me.untilEnded(id, { boundMs: 10_000 });
 * console.log(me.result(id).maps);
 * await engine.close();
 *
 * @param options any of the settings, in their own units; what is absent has its default, but for
 *   `standby`, which is 0 then
 * @param hooks told of every execution that ends; what they throw is ignored
 * @param launcher how bpftrace gets its rights; if absent, found out here, with the password in `BPFTRACE_PASSWD` if
 *   there is one (it is then taken out of the environment)
 * @throws ConfigError for an unknown setting, a value outside its range, and what the launcher can't do
 */
export function createEngine(
  options: Partial<Config> = {},
  hooks: EngineHooks = {},
  launcher?: Launcher,
): TraceEngine {
  // One that stands by would keep the process of whoever forgets to close the engine.
  const config = resolveConfig({ standby: 0, ...options });
  const replay = config.replay === '' ? undefined : new Replay(config.replay);
  const way = replay?.launcher ?? launcher ?? launcherFor(config.bpftrace);
  if (!replay && way.mode === 'helper' && config.policy === 'unsafe') {
    throw new ConfigError(
      '--policy unsafe: bpftrace is started by the helper here, which starts no bpftrace --unsafe; take observe or full, or run the server as root',
    );
  }
  const engine = new Engine(config, hooks, way, replay);
  return {
    config: engine.config,
    mostAtOnce: engine.sizing.state.most,
    as: (client, terms = {}) => new ClientView(engine, engine.client(client, terms)),
    get state() {
      return stateOf(engine);
    },
    reopenAudit: () => {
      engine.audit?.reopen();
      return engine.audit?.state;
    },
    drain: bound => engine.drain(bound),
    close: closing => engine.close(closing),
  };
}
