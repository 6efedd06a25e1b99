import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { Deferred } from '../deferred.js';
import { createEngine, type EndReport, type Submission } from '../engine/index.js';
import { createLogger, logAudit, logEnd, logRefused } from '../logging.js';
import { serveStdio } from '../mcp/stdio.js';
import { gainPrivilege } from '../privilege/gain.js';
import { VERSION } from '../version.js';

/** A supervisor's patience is often 10 s: after half of it, maps are given up. */
const HURRY_AFTER_MS = 5000;
/** A child that was killed is gone when the kernel has detached its probes; it needs no server for that. */
const LEAVE_AFTER_HURRY_MS = 3000;

/**
 * The server: wired, served, shut down. It ends when the client goes away (end of standard input, a broken
 * pipe) or on SIGTERM, SIGINT or SIGHUP: running programs are stopped, queued ones are dropped, and no
 * bpftrace is left. A second signal hurries: children are killed at once.
 */
export async function serve(config: Config): Promise<number> {
  const log = createLogger(config.logLevel);
  const launcher = await gainPrivilege(config.bpftrace);
  const hooks = {
    onEnd: (report: EndReport) => logEnd(log, report),
    onSubmit: (submission: Submission) => logRefused(log, submission),
    onStandbyLost: (why: string) => log.info({ why }, 'a bpftrace that stood by was lost'),
    onAuditProblem: (problem: string | undefined) => logAudit(log, problem),
  };
  const engine = createEngine(config, hooks, launcher);
  const asked = new Deferred<string>();
  const hurry = new Deferred();
  let first: string | undefined;
  const end = (why: string, isSignal: boolean): void => {
    if (first === undefined) {
      first = why;
      asked.resolve(why);
    } else if (isSignal) {
      hurry.resolve();
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(signal, true));
  // The client may be gone before it has read an answer; that is an end, not a crash.
  process.on('SIGPIPE', () => {});

  const client = engine.as('stdio');
  // bpftrace is asked for its version now, so that the first program need not wait for it.
  client.helpers().catch(() => {});
  await serveStdio({ client, config, log }, how => end(how, false));
  log.info({ version: VERSION, node: process.version }, 'serving MCP on stdio');

  log.info({ why: await asked.promise }, 'shutting down');
  const closed = engine.close();
  await Promise.race([closed, hurry.promise, sleep(HURRY_AFTER_MS)]);
  const killed = engine.close({ hurry: true });
  const left = await Promise.race([killed.then(() => false), sleep(LEAVE_AFTER_HURRY_MS, true)]);
  if (left) log.warn('children were killed and the kernel is still detaching their probes');
  log.info('ended');
  // Whatever the client left open (a pipe it does not read) must not keep the process.
  process.exit(0);
}
