import { type Logger, pino } from 'pino';
import type { Config } from './config.js';
import type { Execution } from './engine/execution.js';
import { linesDropped, linesTotal } from './results/ring-reader.js';

/** Structured lines on standard error, written before the call returns: the last one before a crash is there. */
export function createLogger(level: Config['logLevel']): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read our log has gone; that is no reason to stop tracing.
  destination.on('error', () => {});
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** One line for each execution that has ended. */
export function logEnd(log: Logger, execution: Execution): void {
  const { verdict, ring } = execution;
  const fields = {
    execution: execution.id,
    program: execution.programHash,
    client: execution.options.client,
    status: execution.status,
    endedBy: verdict?.endedBy,
    reason: verdict?.reason,
    message: verdict?.message,
    queuedMs: Math.round(execution.waitedMs),
    tracedMs: Math.round(execution.durationMs),
    probes: execution.attachedProbes,
    lines: linesTotal(ring),
    linesDropped: linesDropped(ring),
    lostEvents: execution.lostEvents,
    exitCode: execution.exitCode,
  };
  // A program that does not compile is its author's business; a child or a thread that got out of hand is the operator's.
  const alarming = verdict?.reason === 'worker_crashed' || verdict?.reason === 'unresponsive';
  log[alarming ? 'warn' : 'info'](fields, 'execution');
}
