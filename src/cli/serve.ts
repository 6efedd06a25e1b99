import type { Logger } from 'pino';
import { type Config, ConfigError } from '../config.js';
import { createEngine, type EngineHooks } from '../engine/index.js';
import { createLogger, logAudit, logEnd, logRefused, logTokens } from '../logging.js';
import { HttpFront, type Listening } from '../mcp/http/http-server.js';
import { ListenError } from '../mcp/http/unix-socket.js';
import { furnish } from '../mcp/server.js';
import type { StdioFront } from '../mcp/stdio.js';
import { Metrics } from '../metrics/metrics.js';
import { TokenFile, TokenFileError } from '../tokens/token-file.js';
import { VERSION } from '../version.js';
import { EndRequests, endInOrder } from './ending.js';
import { EXIT } from './exit-codes.js';
import { launcherOf } from './launcher.js';
import { reload } from './reload.js';

/**
 * The server: wired, served, shut down. It ends when the client goes away (end of standard input, a broken pipe) or on
 * SIGTERM, SIGINT and, over stdio alone, SIGHUP; {@link endInOrder} says how. Where many are served, SIGHUP has what
 * may have changed read again.
 *
 * @param stdio open already, where MCP is served there
 */
export async function serve(config: Config, stdio: StdioFront | undefined): Promise<number> {
  const log = createLogger(config.logLevel);
  const tokens = tokensOf(config, log);
  const launcher = await launcherOf(config);
  const isShared = config.http !== '' || config.unix !== '';
  const metrics = isShared ? new Metrics() : undefined;
  const engine = createEngine(config, hooksOf(log, metrics), launcher);
  const requests = new EndRequests();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => requests.ask(signal, true));
  process.on('SIGHUP', () => {
    if (isShared) reload(engine, tokens, log);
    else requests.ask('SIGHUP', true);
  });
  // The client may be gone before it has read an answer; that is an end, not a crash.
  process.on('SIGPIPE', () => {});

  const client = engine.as('stdio');
  // bpftrace is asked for its version now, so that the first program need not wait for it.
  client.helpers().catch(() => {});
  const front = metrics && new HttpFront({ engine, log, tokens, metrics });
  let at: Listening | undefined;
  try {
    at = await front?.listen();
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    process.stderr.write(`bpftrace-mcp: ${error.message}\n`);
    await engine.close();
    return EXIT.usage;
  }
  stdio?.serve(
    server => furnish(server, { client, config, log }),
    how => requests.ask(how, false),
  );
  log.info({ version: VERSION, node: process.version, stdio: stdio !== undefined, ...at }, 'serving MCP');

  await endInOrder({ engine, front, stdio, requests, log });
  // Whatever the client left open (a pipe it does not read) must not keep the process.
  process.exit(0);
}

/** What is logged and counted of what happens. */
function hooksOf(log: Logger, metrics: Metrics | undefined): EngineHooks {
  return {
    onEnd: report => {
      logEnd(log, report);
      metrics?.ended(report);
    },
    onSubmit: submission => {
      logRefused(log, submission);
      metrics?.submitted(submission);
    },
    onStandbyLost: why => {
      log.info({ why }, 'a bpftrace that stood by was lost');
      metrics?.standbyLost();
    },
    onRecordingProblem: why => log.warn({ why }, 'something was not recorded'),
    onAuditProblem: problem => logAudit(log, problem),
  };
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
