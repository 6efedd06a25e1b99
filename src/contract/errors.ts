/** Codes of requests that were refused. A refusal leaves nothing behind: no execution, no child. */
export const REFUSALS = [
  'invalid_argument',
  'busy',
  'unknown_execution',
  'result_gone',
  'offset_out_of_range',
  'no_bpftrace',
  'no_privilege',
  'policy_denied',
  'host_distress',
  'audit_failed',
  'shutting_down',
  'not_recorded',
  'internal',
] as const;
type RefusalCode = (typeof REFUSALS)[number];

/** Codes of executions that ended as `failed`. */
export const FAILURES = [
  'compile_failed',
  'attach_failed',
  'start_failed',
  'start_timeout',
  'died',
  'unresponsive',
  'worker_crashed',
] as const;
export type FailureReason = (typeof FAILURES)[number];

/** A refused request. `message` says what happened and what was expected, `next` what to do about it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly next: string,
    readonly details: Record<string, string | number | null> = {},
  ) {
    super(message);
  }
}
