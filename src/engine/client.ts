import type { Config } from '../config.js';
import type { Policy, Profile } from '../policy/policy.js';

/** What one client may take of the server; absent: as much as the settings give every client. */
export interface ClientLimits {
  /** Executions that run at once; more of them wait. */
  concurrent?: number;
  /** Executions that run or wait; one more is refused. */
  open?: number;
  /** Submissions within a minute; one more is refused. */
  perMinute?: number;
  /** Of finished results that are kept, in bytes; its oldest go first. */
  resultBytes?: number;
}

/** On what terms a client is served. */
export interface ClientTerms {
  /** The narrower one of this and the server's holds. */
  policy?: Profile;
  limits?: ClientLimits;
}

/** Who asks: whose executions they are, and what may be done for it. Each view of the engine has one of its own. */
export interface Client {
  readonly name: string;
  readonly policy: Policy;
  /** Infinity for no bound. */
  readonly limits: Required<ClientLimits>;
}

/** @param limits in place of the settings' */
export function limitsOf(limits: ClientLimits, config: Config): Required<ClientLimits> {
  const orNone = (bound: number): number => (bound > 0 ? bound : Number.POSITIVE_INFINITY);
  return {
    concurrent: limits.concurrent ?? orNone(config.maxRunningPerClient),
    open: limits.open ?? orNone(config.maxOpenPerClient),
    perMinute: limits.perMinute ?? orNone(config.maxPerMinutePerClient),
    resultBytes: limits.resultBytes ?? orNone(config.maxResultsBytesPerClient),
  };
}
