import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import type { Config } from '../../config.js';
import { Refusal } from '../../contract/errors.js';
import type { SubmitRequest, Window } from '../../engine/index.js';
import { parseArguments } from '../../mcp/tool.js';
import { execArguments, requestOf } from '../../mcp/tools/exec-program.js';

/** A line of the input: a program to run, or what is wrong with it. */
export interface BatchItem {
  /** Its number, from 1. */
  line: number;
  /** As the line has it, or its number. */
  id: string | number;
  /** Hash of all that it asks for: a line that was changed is another one. */
  request: string;
  ask: { submit: SubmitRequest; window: Window } | { refusal: Refusal };
}

const NEWLINE = 0x0a;
/** Beside the program, whose every byte may be written as an escape of six. */
const OTHER_BYTES_MAX = 4096;
const ESCAPE_BYTES = 6;

/**
 * Items in the order of the file; blank lines are none.
 * @param file a path, or `-` for standard input
 * @param over aborted when no more are wanted
 */
export async function* itemsOf(file: string, config: Config, over: AbortSignal): AsyncGenerator<BatchItem> {
  const input = z
    .object({ ...execArguments(config).omit({ wait: true, share: true }).shape, id: idSchema.optional() })
    .strict();
  const bytesMax = ESCAPE_BYTES * config.maxProgramBytes + OTHER_BYTES_MAX;
  let line = 0;
  for await (const text of linesOf(file, bytesMax, over)) {
    line++;
    if (text?.trim() === '') continue;
    yield { line, ...itemOf(line, text, { input, bytesMax, maxLines: config.maxLines }) };
  }
}

const idSchema = z.union([z.string().min(1).max(500), z.number()]);

function itemOf(
  line: number,
  text: string | undefined,
  { input, bytesMax, maxLines }: { input: InputSchema; bytesMax: number; maxLines: number },
): Omit<BatchItem, 'line'> {
  let value: unknown;
  try {
    if (text === undefined) throw new Error(`it is longer than ${bytesMax} bytes`);
    value = JSON.parse(text);
    const { id = line, ...args } = parseArguments({ name: 'a line', input }, input, value);
    const window = {
      // All lines that are kept, without a gap.
      offset: 0,
      limit: maxLines,
      mapEntries: args.map_entries,
      exactStacks: args.exact_stacks,
      maxBytes: args.max_bytes,
    };
    return { id, request: hashOf(JSON.stringify(args)), ask: { submit: requestOf(args), window } };
  } catch (error) {
    const refusal =
      error instanceof Refusal
        ? error
        : new Refusal(
            'invalid_argument',
            `not a JSON object: ${error instanceof Error ? error.message : error}`,
            'write one object a line, such as {"id": "reads", "program": "…", "timeout": 5}',
          );
    return { id: idIn(value) ?? line, request: hashOf(text ?? ''), ask: { refusal } };
  }
}

type InputSchema = z.ZodObject<
  Omit<ReturnType<typeof execArguments>['shape'], 'wait' | 'share'> & { id: z.ZodOptional<typeof idSchema> },
  z.core.$strict
>;

/** So that a line with a mistake can still be told by its id. */
function idIn(value: unknown): string | number | undefined {
  const id: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'id') : undefined;
  return idSchema.safeParse(id).data;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Lines without their ends; undefined for one that is too long, of which nothing is kept. */
async function* linesOf(
  file: string,
  bytesMax: number,
  over: AbortSignal,
): AsyncGenerator<string | undefined> {
  const source = file === '-' ? process.stdin : createReadStream(file);
  const close = (): void => void source.destroy();
  over.addEventListener('abort', close);
  let kept: Buffer[] = [];
  let bytes = 0;
  const take = (): string | undefined => {
    // Without the mark that some editors put at the beginning of a file.
    const line = bytes > bytesMax ? undefined : new TextDecoder().decode(Buffer.concat(kept));
    kept = [];
    bytes = 0;
    return line;
  };
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      let at = 0;
      for (let end = chunk.indexOf(NEWLINE); ; end = chunk.indexOf(NEWLINE, at)) {
        const piece = chunk.subarray(at, end < 0 ? undefined : end);
        bytes += piece.length;
        if (bytes <= bytesMax) kept.push(piece);
        else kept = [];
        if (end < 0) break;
        yield take();
        at = end + 1;
      }
    }
  } catch (error) {
    // Closed before its end, by us.
    if (!over.aborted) throw error;
  } finally {
    over.removeEventListener('abort', close);
  }
  if (bytes > 0 && !over.aborted) yield take();
}
