import { type Diagnostic, headline, parseDiagnostics, worthShowing } from '../bpftrace/diagnostics.js';
import type { FailureReason } from '../contract/errors.js';
import type { TraceOutcome } from '../contract/trace.js';
import type { Crash } from '../pool/trace-pool.js';
import type { EndedBy, Status } from '../results/result.js';

export interface Verdict {
  status: Extract<Status, 'completed' | 'failed' | 'stopped'>;
  endedBy: EndedBy;
  reason?: FailureReason;
  message?: string;
  diagnostics: Diagnostic[];
}

export interface Evidence {
  outcome: TraceOutcome | Crash;
  stderr: string;
  /** `attached_probes` was announced: on 0.17 and 0.23 that is before attaching, so what follows is no compile error. */
  announcedAttach: boolean;
  /** Who asked for a stop, if somebody did. */
  stopCause: 'stop' | 'shutdown' | undefined;
  /** The last bare line on standard output: 0.17 says "No probes to attach" there. */
  lastLine: string | undefined;
  graceS: number;
}

/**
 * How an execution ended. The deadline is the normal end of most programs; a stop keeps what was gathered;
 * everything else that is not bpftrace's own clean exit is a failure, and the first reason wins.
 */
export function judge(evidence: Evidence): Verdict {
  const { outcome, stopCause } = evidence;
  const all = parseDiagnostics(evidence.stderr);
  const failed = (reason: FailureReason, message: string): Verdict => ({
    status: 'failed',
    endedBy: 'failure',
    reason,
    message,
    diagnostics: worthShowing(all, true),
  });
  const said = headline(all.filter(diagnostic => !diagnostic.noise)) ?? evidence.lastLine ?? headline(all);

  if ('crashed' in outcome) {
    return failed(
      'worker_crashed',
      `the worker thread ended: ${outcome.crashed}; bpftrace was killed with it`,
    );
  }
  if (outcome.spawnError) {
    return failed('start_failed', `bpftrace could not be started: ${outcome.spawnError.message}`);
  }
  const lostMaps = `bpftrace made no progress for ${evidence.graceS} s after SIGINT and was killed: maps it had not printed are lost`;
  if (outcome.ending === 'stop') {
    return {
      status: 'stopped',
      endedBy: stopCause ?? 'stop',
      ...(outcome.killed && { message: lostMaps }),
      diagnostics: worthShowing(all, outcome.killed),
    };
  }
  if (outcome.ending === 'start_timeout') {
    return failed(
      'start_timeout',
      `not attached within the start timeout${said ? `; bpftrace said: ${said}` : ''}`,
    );
  }
  if (outcome.killed) return failed('unresponsive', lostMaps);
  if (outcome.exitCode === 0) {
    return {
      status: 'completed',
      endedBy: outcome.ending === 'deadline' ? 'deadline' : 'exit',
      diagnostics: worthShowing(all, false),
    };
  }
  if (outcome.signal) return failed('died', `bpftrace was ended by ${outcome.signal}, not by this server`);
  if (outcome.attached) {
    return failed('died', `bpftrace ended with exit code ${outcome.exitCode}${said ? `: ${said}` : ''}`);
  }
  const message = said ?? `bpftrace ended with exit code ${outcome.exitCode} and said nothing`;
  return failed(
    evidence.announcedAttach || isAboutAttaching(message) ? 'attach_failed' : 'compile_failed',
    message,
  );
}

/** 0.27 announces nothing before it attaches, and finds missing probes while it compiles, as 0.17 does for tracepoints. */
function isAboutAttaching(message: string): boolean {
  return /attach|No matches for|tracepoint not found|perf_event_open/i.test(message);
}
