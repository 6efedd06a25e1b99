import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import { type ClientView, createEngine, type Result } from '../engine/index.js';
import { EXIT } from './exit-codes.js';
import { launcherOf } from './launcher.js';
import { RunView } from './run-view.js';

interface RunOptions {
  /** A path, or `-` for standard input. */
  file?: string | undefined;
  execute?: string | undefined;
  timeout?: string | undefined;
  json?: boolean | undefined;
}

const LINES_AT_ONCE = 1000;

/** `bpftrace-mcp run`: one program through the engine; its lines as they come, its maps at the end. */
export async function run(config: Config, options: RunOptions): Promise<number> {
  const fail = (message: string, code: number): number => {
    process.stderr.write(`bpftrace-mcp run: ${message}\n`);
    return code;
  };
  const timeoutS = options.timeout === undefined ? config.defaultTimeoutS : Number(options.timeout);
  if (!(timeoutS >= 0.1 && timeoutS <= config.maxTimeoutS)) {
    return fail(
      `--timeout ${options.timeout}: must be a number from 0.1 to ${config.maxTimeoutS}, in seconds`,
      EXIT.usage,
    );
  }
  if ((options.execute === undefined) === (options.file === undefined)) {
    return fail("pass a program: either -e 'PROGRAM' or a FILE (- for standard input)", EXIT.usage);
  }
  let program: string;
  try {
    program = options.execute ?? (await readProgram(options.file ?? '-'));
  } catch (error) {
    return fail(`the program can't be read: ${error instanceof Error ? error.message : error}`, EXIT.usage);
  }

  const onRecordingProblem = (why: string): void => {
    process.stderr.write(`bpftrace-mcp run: not recorded: ${why}\n`);
  };
  const engine = createEngine({ ...config, standby: 0 }, { onRecordingProblem }, await launcherOf(config));
  const client = engine.as('run');
  let interrupted = false;
  try {
    const id = client.submit({ program, deadlineMs: timeoutS * 1000 });
    const stop = (): void => {
      if (interrupted) void engine.close({ hurry: true });
      interrupted = true;
      client.stop(id);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    const view = new RunView({ json: Boolean(options.json), onBrokenPipe: stop });
    const result = await follow(client, id, view);
    view.end(result);
    if (interrupted) return EXIT.interrupted;
    if (result.reason === 'start_failed') return EXIT.unable;
    return result.status === 'failed' ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const code = error.code === 'invalid_argument' ? EXIT.usage : EXIT.unable;
    return fail(`${error.message}\n  ${error.next}`, code);
  } finally {
    await engine.close();
  }
}

/** Shows everything as it comes; gives back the final result. */
async function follow(client: ClientView, id: string, view: RunView): Promise<Result> {
  for (let offset = 0; ; ) {
    await client.untilNews(id, offset, { boundMs: view.refreshMs });
    const result = client.result(id, { offset, limit: LINES_AT_ONCE });
    view.show(result, offset);
    offset = result.next_offset;
    if (result.ended_by && !result.has_more) return result;
  }
}

async function readProgram(file: string): Promise<string> {
  return file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8');
}
