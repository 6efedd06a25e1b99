import { type Logger, pino } from 'pino';
import type { Config } from './config.js';
import type { EndReport } from './engine/index.js';

/** Structured lines on standard error, written before the call returns: the last one before a crash is there. */
export function createLogger(level: Config['logLevel']): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read our log has gone; that is no reason to stop tracing.
  destination.on('error', () => {});
  return pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** One line for each execution that has ended. */
export function logEnd(log: Logger, report: EndReport): void {
  // A program that does not compile is its author's business; a child or a thread that got out of hand is the operator's.
  const alarming =
    report.reason === 'worker_crashed' || report.reason === 'unresponsive' || report.leftBehind;
  log[alarming ? 'warn' : 'info'](report, 'execution');
}
