import { Audit, type Submission } from '../audit/audit.js';
import type { Config } from '../config.js';
import type { EndReport } from './report.js';

export interface EngineHooks {
  /** Called once for each execution, when it has ended. */
  onEnd?: (report: EndReport) => void;
  /** Called once for each program that is handed in, with what was decided. */
  onSubmit?: (submission: Submission) => void;
  /** A bpftrace that stood by for a program was of no use, and why; no program suffered from it. */
  onStandbyLost?: (why: string) => void;
  /** There is no recording of an execution, or of what the tools need of the host, and why; all went on without. */
  onRecordingProblem?: (problem: string) => void;
  /** The audit file can't be written any more, and why; or, with nothing, it can again. */
  onAuditProblem?: (problem: string | undefined) => void;
}

/** The hook's own fault must not take the engine down. */
export function tell<T>(hook: ((about: T) => void) | undefined, about: T): void {
  try {
    hook?.(about);
  } catch {
    // Its owner's business.
  }
}

export function auditOf(config: Config, hooks: EngineHooks): Audit | undefined {
  if (config.auditLog === '') return undefined;
  const options = {
    path: config.auditLog,
    maxBytes: config.auditMaxBytes,
    keep: config.auditFiles,
    programs: config.auditPrograms === 'on',
    required: config.auditRequired === 'on',
  };
  return new Audit(options, hooks.onAuditProblem);
}
