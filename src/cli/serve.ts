import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Config, ConfigError } from '../config.js';
import { Deferred } from '../deferred.js';
import { createEngine, type EndReport, type Submission } from '../engine/index.js';
import { createLogger, logAudit, logEnd, logRefused, logTokens } from '../logging.js';
import { HttpFront, type Listening } from '../mcp/http/http-server.js';
import { ListenError } from '../mcp/http/unix-socket.js';
import { serveStdio } from '../mcp/stdio.js';
import { gainPrivilege } from '../privilege/gain.js';
import { TokenFile, TokenFileError } from '../tokens/token-file.js';
import { VERSION } from '../version.js';
import { EXIT } from './exit-codes.js';

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
  const tokens = tokensOf(config, log);
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
  const isShared = config.http !== '' || config.unix !== '';
  const front = isShared ? new HttpFront({ engine, log, tokens }) : undefined;
  let at: Listening | undefined;
  try {
    at = await front?.listen();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    process.stderr.write(`bpftrace-mcp: ${error.message}\n`);
    await engine.close();
    return EXIT.usage;
  }
  const stdio = config.stdio === 'on' || (config.stdio === 'auto' && !isShared);
  if (stdio) await serveStdio({ client, config, log }, how => end(how, false));
  log.info({ version: VERSION, node: process.version, stdio, ...at }, 'serving MCP');

  log.info({ why: await asked.promise }, 'shutting down');
  front?.stopListening();
  const closed = engine.close();
  await Promise.race([closed, hurry.promise, sleep(HURRY_AFTER_MS)]);
  const killed = engine.close({ hurry: true });
  const left = await Promise.race([killed.then(() => false), sleep(LEAVE_AFTER_HURRY_MS, true)]);
  if (left) log.warn('children were killed and the kernel is still detaching their probes');
  await front?.close();
  log.info('ended');
  // Whatever the client left open (a pipe it does not read) must not keep the process.
  process.exit(0);
}

/** @throws ConfigError where the file can't be used now; later, nobody is let in until it can */
function tokensOf({ tokens }: Config, log: Logger): TokenFile | undefined {
  if (tokens === '') return undefined;
  try {
    return new TokenFile(tokens, change => logTokens(log, change));
  } catch (error) {
    throw error instanceof TokenFileError ? new ConfigError(error.message) : error;
  }
}
