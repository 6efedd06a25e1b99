import type { CallToolResult, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import type { ClientView, Window } from '../engine/index.js';
import type { Progress } from './progress.js';

/** What a tool's handler works with. */
export interface ToolContext {
  client: ClientView;
  config: Config;
  /** Aborted when the client cancels the request or goes away. */
  signal: AbortSignal;
  progress: Progress;
}

/** The same answer twice, each enough alone: typed for programs, compact for readers. */
export interface Reply<Output> {
  structured: Output;
  text: string;
}

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  call(args: unknown, context: ToolContext): Promise<CallToolResult>;
  /**
   * Of a tool that can be called as a task.
   * @throws Refusal
   */
  begin?(args: unknown, context: ToolContext): Begun;
}

/** An execution that goes on after the call, and what its result is to show. */
export interface Begun {
  id: string;
  window: Window;
}

interface ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  annotations: ToolAnnotations;
  /** Arguments it does not name are refused. */
  input: Input;
  output: Output;
  handle(args: z.output<Input>, context: ToolContext): Promise<Reply<z.output<Output>>>;
  begin?(args: z.output<Input>, context: ToolContext): Begun;
}

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): Tool {
  const { handle, begin, ...surface } = definition;
  // Made once: zod compiles a schema when it is first used.
  const strict = definition.input.strict();
  const parse = (args: unknown) => parseArguments(definition, strict, args ?? {});
  return {
    ...surface,
    async call(args, context) {
      try {
        const { structured, text } = await handle(parse(args), context);
        return { content: [{ type: 'text', text }], structuredContent: structured };
      } catch (error) {
        if (error instanceof Refusal) return refusalReply(error);
        throw error;
      }
    },
    ...(begin && { begin: (args, context) => begin(parse(args), context) }),
  };
}

/** A refusal is a tool error, which an agent reads and acts on, never a protocol error. */
export function refusalReply(refusal: Refusal): CallToolResult {
  const { code, message, next, details } = refusal;
  return {
    content: [{ type: 'text', text: `${code}: ${message}\nNext: ${next}` }],
    isError: true,
    _meta: { 'bpftrace-mcp/error': { code, message, next, ...details } },
  };
}

/**
 * @param strict its input, other names refused
 * @throws Refusal `invalid_argument`
 */
export function parseArguments<Input extends z.ZodObject>(
  tool: { name: string; input: Input },
  strict: z.ZodType,
  args: unknown,
): z.output<Input> {
  const parsed = strict.safeParse(args);
  // `strict()` only adds the check for unknown names: what it lets through has the schema's own type.
  if (parsed.success) return parsed.data as z.output<Input>;
  const taken = Object.keys(tool.input.shape);
  const problems = parsed.error.issues.map(issue => {
    if (issue.code === 'unrecognized_keys')
      return `unknown argument ${issue.keys.map(key => JSON.stringify(key.slice(0, 40))).join(', ')}`;
    const place = issue.path.join('.');
    return place === ''
      ? issue.message
      : `${place}: ${issue.message} (got ${shown(valueAt(args, issue.path))})`;
  });
  const usage =
    taken.length === 0
      ? 'takes no arguments'
      : `takes ${taken.map(name => argumentUsage(tool.input, name)).join(', ')}`;
  throw new Refusal('invalid_argument', problems.join('; '), `${tool.name} ${usage}`);
}

function argumentUsage(input: z.ZodObject, name: string): string {
  return input.shape[name]?.safeParse(undefined).success ? `${name}?` : name;
}

function valueAt(args: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    args,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(outermost(value)) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** JSON is read however deep it goes, and can't be written so: the stack ends. */
function outermost(value: unknown, levels = 3): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return '…';
  if (Array.isArray(value)) return value.map(part => outermost(part, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, outermost(part, levels - 1)]));
}
