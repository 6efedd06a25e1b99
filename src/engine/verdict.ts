import { type Diagnostic, headline, worthShowing } from '../bpftrace/diagnostics/index.js';
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

/** Why an execution was told to end. */
export interface Stop {
  cause: 'stop' | 'shutdown' | 'distress';
  /** In words, where it was not the caller's wish. */
  why?: string;
}

/** The bounds that an execution may have met. */
interface Bounds {
  graceS: number;
  floodS: number;
  floodBytesPerS: number;
}

interface Evidence {
  outcome: TraceOutcome | Crash;
  /** What bpftrace said, noise included. */
  diagnostics: Diagnostic[];
  /** `attached_probes` was announced: on 0.17 and 0.23 that is before attaching, so what follows is no compile error. */
  announcedAttach: boolean;
  /** It printed something: lines or maps. */
  printed: boolean;
  stop: Stop | undefined;
  /** The last bare line on standard output. */
  lastLine: string | undefined;
  bounds: Bounds;
  program: string;
}

const USER_SYMBOLS = /\bu(?:stack|sym)\b/;
/** 0.17 reads each process's symbols anew for each stack: those of everybody take it longer than a minute. */
const MANY_SYMBOLS =
  '; it looks up names of user stacks as it prints them, which takes long for many processes: pick one (/pid == 42/), or have addresses: ustack(raw) from 0.18 on, or fewer frames: ustack(5)';

/**
 * How an execution ended. The deadline is the normal end of most programs; a stop keeps what was gathered;
 * everything else that is not bpftrace's own clean exit is a failure, and the first reason wins.
 */
export function judge(evidence: Evidence): Verdict {
  const { outcome, stop, bounds, program, diagnostics: all } = evidence;
  const failed = (reason: FailureReason, message: string): Verdict => ({
    status: 'failed',
    endedBy: 'failure',
    reason,
    message,
    diagnostics: worthShowing(all, true),
  });
  const said = headline(all.filter(diagnostic => !diagnostic.noise)) ?? evidence.lastLine ?? headline(all);

  if ('crashed' in outcome) {
    if (outcome.isUnstarted) return failed('start_failed', outcome.crashed);
    return failed(
      'worker_crashed',
      `the worker thread ended: ${outcome.crashed}; bpftrace was killed with it`,
    );
  }
  const notStarted = (why: string): Verdict =>
    failed('start_failed', `bpftrace could not be started: ${why}`);
  if (outcome.spawnError) {
    const { code, message } = outcome.spawnError;
    return notStarted([message, SPAWN_HINTS[code]].filter(Boolean).join('; '));
  }
  const lostMaps =
    stop?.cause === 'shutdown'
      ? 'the server shut down and killed bpftrace before it had ended: maps it had not printed are lost'
      : `bpftrace did not end in time after SIGINT (it is given ${bounds.graceS} s without progress) and was killed: maps it had not printed are lost${USER_SYMBOLS.test(program) ? MANY_SYMBOLS : ''}`;
  // Of SIGINT and SIGTERM, which the ladder sends, a wrapper may die when bpftrace has ended.
  const ladderSignal = /^SIG(?:INT|TERM)$/.test(outcome.signal ?? '');
  const diedEnding =
    !outcome.killed && outcome.attached && outcome.signal !== null && !ladderSignal
      ? `bpftrace was ended by ${outcome.signal} while it was ending, not by this server: maps it had not printed are lost`
      : undefined;
  const lost = outcome.killed ? lostMaps : diedEnding;
  if (outcome.ending === 'stop') {
    return {
      status: 'stopped',
      endedBy: stop?.cause ?? 'stop',
      ...told(
        stop?.cause === 'distress' && `the machine is in distress: ${stop.why}`,
        stop?.cause === 'stop' && stop.why,
        lost,
      ),
      diagnostics: worthShowing(all, lost !== undefined),
    };
  }
  if (outcome.ending === 'flood') {
    const flood = `it printed more than ${bounds.floodBytesPerS} bytes a second for ${bounds.floodS} s, so the server ended it: count in maps, or print less`;
    return {
      status: 'stopped',
      endedBy: 'flood',
      ...told(flood, lost),
      diagnostics: worthShowing(all, lost !== undefined),
    };
  }
  if (outcome.ending === 'start_timeout') {
    return failed(
      'start_timeout',
      `not attached within the start timeout${said ? `; bpftrace said: ${said}` : ''}`,
    );
  }
  if (outcome.killed) return failed('unresponsive', lostMaps);
  // 0.23 and later: `exit(3)` is the program's own clean end too. Whoever fails says why.
  const ownCode =
    evidence.announcedAttach && all.every(({ noise, severity }) => noise || severity === 'warning');
  const ourSignal = outcome.ending === 'deadline' && ladderSignal;
  if (outcome.exitCode === 0 && !outcome.ending && !evidence.announcedAttach && !evidence.printed) {
    return notStarted('it ended without a word; is it a bpftrace at all?');
  }
  if (outcome.exitCode === 0 || (ownCode && !outcome.signal) || ourSignal) {
    return {
      status: 'completed',
      endedBy: outcome.ending === 'deadline' ? 'deadline' : 'exit',
      diagnostics: worthShowing(all, false),
    };
  }
  const crashed = isCrash(outcome.signal);
  const error = all.find(({ severity, noise }) => severity === 'error' && !noise);
  // 0.17 aborts where later ones give an error: what it said is the reason then.
  if (outcome.signal && (outcome.attached || !crashed || !error)) {
    const fault = crashed ? '; that is a fault of its own: say it in another way' : '';
    return failed('died', `bpftrace was ended by ${outcome.signal}, not by this server${fault}`);
  }
  if (outcome.attached) {
    return failed('died', `bpftrace ended with exit code ${outcome.exitCode}${said ? `: ${said}` : ''}`);
  }
  if (!evidence.announcedAttach && wasNotRun(outcome.exitCode, said)) {
    const hint = /failed to map segment|annot allocate memory/.test(said ?? '') && SPAWN_HINTS.ENOMEM;
    return notStarted([said ?? `exit code ${outcome.exitCode}`, hint].filter(Boolean).join('; '));
  }
  const message = said ?? `bpftrace ended with exit code ${outcome.exitCode} and said nothing`;
  return failed(
    evidence.announcedAttach || (error && ABOUT_ATTACHING.has(error.code))
      ? 'attach_failed'
      : 'compile_failed',
    message,
  );
}

/** There was no memory for its buffers. */
export function notHandedOver(error: unknown): Verdict {
  const said = error instanceof Error ? error.message : String(error);
  const message = `there is no memory for its lines and maps (${said}); lower --concurrency, --max-output-bytes or --max-map-bytes`;
  return { status: 'failed', endedBy: 'failure', reason: 'start_failed', message, diagnostics: [] };
}

/** A signal by which a process ends of its own fault, where others come from outside. */
export function isCrash(signal: string | null): boolean {
  return /^SIG(?:ABRT|SEGV)$/.test(signal ?? '');
}

function told(...parts: (string | false | undefined)[]): { message?: string } {
  const message = parts.filter(Boolean).join('; ');
  return message === '' ? {} : { message };
}

const OPEN_FILES = "lower --concurrency, or raise the server's limit of open files (ulimit -n)";
/** What to do about an error of the system, by its code. */
const SPAWN_HINTS: Record<string, string> = {
  EMFILE: OPEN_FILES,
  ENFILE: OPEN_FILES,
  EAGAIN: 'lower --concurrency, or raise the limit of processes (ulimit -u, the container)',
  ENOMEM: 'lower --concurrency: a running bpftrace takes 90 to 170 MB',
};

/**
 * Whether what ended was not bpftrace: the launcher in front of it (setpriv, timeout and shells exit with 126 or
 * 127 when they can't run something), or a shell that took a file which is no program for this machine for a script.
 */
function wasNotRun(exitCode: number | null, said: string | undefined): boolean {
  if (exitCode === 126 || exitCode === 127) return true;
  return /^(?:setpriv|timeout|sudo|bpftrace-mcp-supervisor): |^\/[^:]*: (?:line )?\d+: /.test(said ?? '');
}

/** 0.27 announces nothing before it attaches, and finds missing probes while it compiles, as 0.17 does for tracepoints. */
const ABOUT_ATTACHING: ReadonlySet<string> = new Set([
  'unknown_probe',
  'missing_symbol',
  'too_many_probes',
  'attach',
  'attach_denied',
  'unsupported_here',
  'verifier',
  'load',
]);
