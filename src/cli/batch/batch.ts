import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../config.js';
import { Refusal } from '../../contract/errors.js';
import { type ClientView, createEngine, type SubmitRequest } from '../../engine/index.js';
import { EXIT } from '../exit-codes.js';
import { launcherOf } from '../launcher.js';
import { type BatchItem, itemsOf } from './input.js';
import { type BatchOutput, fileOutput, OutputError, standardOutput } from './output.js';
import { BatchProgress, type Outcome } from './progress.js';

interface BatchOptions {
  /** A path, or `-` for standard input. */
  file: string;
  out?: string | undefined;
  resume?: boolean | undefined;
}

/** A refusal that passes: tried again after so long, where it does not say when. */
const TRY_AGAIN_S = 2;
const PASSING: readonly string[] = ['busy', 'host_distress'];
/** Whatever is wrong with one program, the others can be run; not here. */
const HOPELESS: readonly string[] = ['no_bpftrace', 'no_privilege', 'audit_failed'];

/**
 * `bpftrace-mcp batch`: many programs, as many at once as the engine runs, a result a line as each ends. It ends
 * when all have their result; at a signal or when nobody reads the results any more, the programs that run are
 * stopped and have none.
 */
export async function batch(config: Config, options: BatchOptions): Promise<number> {
  const fail = (message: string, code: number): number => {
    process.stderr.write(`bpftrace-mcp batch: ${message}\n`);
    return code;
  };
  const { file, resume = false } = options;
  const out = options.out === '-' ? undefined : options.out;
  if (resume && out === undefined)
    return fail('--resume: pass --out, whose results are there already', EXIT.usage);
  const interrupted = new AbortController();
  let unwritten: string | undefined;
  const onBroken = (why: string | undefined): void => {
    unwritten ??= why;
    interrupted.abort();
  };
  // Whoever has read enough of the progress has not seen enough of the results.
  process.stderr.on('error', () => {});
  let output: BatchOutput;
  let progress: BatchProgress;
  try {
    if (file !== '-') accessSync(file, constants.R_OK);
    // A pipe (`<(…)`) can be read once.
    const isFile = file !== '-' && statSync(file).isFile();
    progress = new BatchProgress(isFile ? await countLines(file) : undefined);
    const say = (text: string): void => progress.say(text);
    output =
      out === undefined
        ? standardOutput(file, onBroken)
        : fileOutput({ path: out, input: file, resume, say }, onBroken);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return fail(error instanceof OutputError ? message : `${file} can't be read: ${message}`, EXIT.usage);
  }
  const onRecordingProblem = (why: string): void => progress.say(`not recorded: ${why}`);
  const engine = createEngine(config, { onRecordingProblem }, await launcherOf(config));
  const client = engine.as('batch');
  interrupted.signal.addEventListener('abort', () => void engine.close());
  const onSignal = (): void => {
    if (interrupted.signal.aborted) void engine.close({ hurry: true });
    interrupted.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  let hopeless: Refusal | undefined;
  const items = itemsOf(file, config, interrupted.signal);
  const worker = async (): Promise<void> => {
    for await (const item of items) {
      if (interrupted.signal.aborted || hopeless) return;
      if (output.has(item)) {
        progress.end('skipped', '');
        continue;
      }
      progress.begin();
      try {
        const result = await resultOf(item, client, interrupted.signal);
        progress.clear();
        if (result) output.write(result.line);
        if (result) progress.end(result.outcome, `${item.id}: ${result.told}`);
        else progress.drop();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        progress.drop();
        hopeless ??= error;
      }
    }
  };
  progress.start();
  try {
    await Promise.all(Array.from({ length: engine.mostAtOnce }, worker));
  } finally {
    progress.close(interrupted.signal.aborted);
    output.close();
    await engine.close();
  }
  if (hopeless) return fail(`${hopeless.message}\n  ${hopeless.next}`, EXIT.unable);
  if (unwritten !== undefined) return fail(`the results can't be written: ${unwritten}`, EXIT.failed);
  if (interrupted.signal.aborted) return EXIT.interrupted;
  return progress.hasFailures ? EXIT.failed : EXIT.ok;
}

interface ItemResult {
  line: object;
  outcome: Outcome;
  /** In words. */
  told: string;
}

/**
 * Runs one item to its end; undefined when it was interrupted.
 * @throws Refusal where no program can be run
 */
async function resultOf(
  { line, id, request, ask }: BatchItem,
  client: ClientView,
  interrupted: AbortSignal,
): Promise<ItemResult | undefined> {
  const about = { type: 'result', id, line, request };
  try {
    if ('refusal' in ask) throw ask.refusal;
    const execution = await admitted(ask.submit, client, interrupted);
    if (execution === undefined) return undefined;
    await client.untilEnded(execution, { boundMs: Number.POSITIVE_INFINITY });
    const { ended_by, status, ...result } = client.result(execution, ask.window);
    if (ended_by === 'shutdown' || status === 'queued' || status === 'starting' || status === 'running')
      return undefined;
    const why = result.error_message === undefined ? '' : `: ${result.error_message}`;
    const how = status === 'failed' ? `failed (${result.reason})` : `${status} by ${ended_by}`;
    return {
      line: { ...about, status, ended_by, ...result },
      outcome: status,
      told: `${how}, ${result.duration} s${why}`,
    };
  } catch (error) {
    if (!(error instanceof Refusal) || HOPELESS.includes(error.code)) throw error;
    const { code, message, next, details } = error;
    return {
      line: { ...about, status: 'refused', error: { code, message, next, ...details } },
      outcome: 'refused',
      told: `refused: ${code}: ${message}`,
    };
  }
}

/** Its execution, when there is room for it; undefined when it was interrupted before. */
async function admitted(
  submit: SubmitRequest,
  client: ClientView,
  interrupted: AbortSignal,
): Promise<string | undefined> {
  while (!interrupted.aborted) {
    try {
      return client.submit(submit);
    } catch (error) {
      if (!(error instanceof Refusal) || !PASSING.includes(error.code)) throw error;
      const { retry_after_s: retryS } = error.details;
      const waitMs = (typeof retryS === 'number' ? retryS : TRY_AGAIN_S) * 1000;
      await sleep(waitMs, undefined, { signal: interrupted }).catch(() => {});
    }
  }
  return undefined;
}

/** So that progress can be told. */
async function countLines(file: string): Promise<number> {
  let lines = 0;
  let isBlank = true;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === 0x0a) {
        if (!isBlank) lines++;
        isBlank = true;
      } else if (byte > 0x20) {
        isBlank = false;
      }
    }
  }
  return isBlank ? lines : lines + 1;
}
