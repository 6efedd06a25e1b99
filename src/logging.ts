import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from './config.js';
import type { EndReport, Submission } from './engine/index.js';

/** Of lines that nobody reads, in bytes; later ones are dropped until there is room again. */
const UNREAD_BYTES_MAX = 1024 * 1024;

/** Structured lines on standard error, written before the call returns: the last one before a crash is there. */
export function createLogger(level: Config['logLevel']): Logger {
  const options = { level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime };
  const kind = fstatSync(2);
  return pino(options, kind.isFIFO() || kind.isSocket() ? pipeDestination() : fileDestination());
}

function fileDestination(): DestinationStream {
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read our log has gone, or the disk is full; that is no reason to stop tracing.
  destination.on('error', () => {});
  return destination;
}

/**
 * A write to a pipe that is full would stop the server until somebody reads. As a socket it is written at once
 * while there is room, and kept here, within bounds, while there is none.
 */
function pipeDestination(): DestinationStream {
  const pipe = new Socket({ fd: 2, readable: false, writable: true });
  pipe.on('error', () => {});
  pipe.unref();
  let dropped = 0;
  return {
    write(line) {
      if (pipe.writableLength + line.length > UNREAD_BYTES_MAX) {
        dropped++;
        return;
      }
      if (dropped > 0)
        pipe.write(`${JSON.stringify({ level: 40, dropped, msg: 'log lines were dropped' })}\n`);
      dropped = 0;
      pipe.write(line);
    },
  };
}

/** One line for each execution that has ended. */
export function logEnd(log: Logger, report: EndReport): void {
  // A program that does not compile is its author's business; a child or a thread that got out of hand is the operator's.
  const alarming =
    report.reason === 'worker_crashed' || report.reason === 'unresponsive' || report.leftBehind;
  log[alarming ? 'warn' : 'info'](report, 'execution');
}

/** One line for each program that was not taken. */
export function logRefused(log: Logger, { text: _text, ...submission }: Submission): void {
  if (submission.decision !== 'admitted') log.info(submission, 'refused');
}

/** The audit file can't be written any more, or can again. */
export function logAudit(log: Logger, problem: string | undefined): void {
  if (problem === undefined) log.info('the audit file is written again');
  else log.error({ problem }, 'the audit file cannot be written');
}

/** The token file was read again: nobody is let in while it has a problem. */
export function logTokens(log: Logger, change: { tokens: number; problem?: string }): void {
  if (change.problem === undefined) log.info(change, 'the token file was read again');
  else log.error(change, 'the token file cannot be used: nobody is let in');
}
