import type { Policy, Profile } from '../policy/policy.js';

/** What one client may take of the server; absent: as much as the server gives anybody. */
export interface ClientLimits {
  /** Executions that run at once. */
  concurrent?: number;
  /** Executions that run or wait. */
  open?: number;
  /** Submissions within a minute. */
  perMinute?: number;
  /** Of finished results that are kept, in bytes. */
  resultBytes?: number;
}

/** On what terms a client is served. */
export interface ClientTerms {
  /** The narrower one of this and the server's holds. */
  policy?: Profile;
  limits?: ClientLimits;
}

/** Who asks: whose executions they are, and what may be done for it. */
export interface Client {
  readonly name: string;
  readonly policy: Policy;
  readonly limits: ClientLimits;
}
