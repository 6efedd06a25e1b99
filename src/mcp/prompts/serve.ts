import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';
import { Refusal } from '../../contract/errors.js';
import type { ClientView } from '../../engine/index.js';
import { PROMPTS } from './index.js';
import { type Prompt, promptText } from './prompt.js';

/** A prompt as `prompts/list` shows it. */
export function describePrompt({ name, title, description, arguments: taken }: Prompt) {
  return { name, title, description, arguments: [...taken] };
}

export function servePrompts(server: Server, client: ClientView): void {
  const listed = PROMPTS.map(describePrompt);
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: listed }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }) => {
    const prompt = PROMPTS.find(({ name }) => name === params.name);
    if (!prompt) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `there is no prompt ${JSON.stringify(params.name.slice(0, 80))}; there are ${listed.map(({ name }) => name).join(', ')}`,
      );
    }
    try {
      return await answer(prompt, params.arguments ?? {}, client);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { code, message, next, details } = error;
      throw new McpError(ErrorCode.InvalidParams, `${code}: ${message}; ${next}`, { code, ...details });
    }
  });
}

async function answer(
  prompt: Prompt,
  given: Record<string, string>,
  client: ClientView,
): Promise<GetPromptResult> {
  const method = prompt.method(given, { args: await client.fieldAccess() });
  const needs = method.steps.flatMap(({ choices }) => choices.flatMap(choice => choice.needs));
  const present = await client.present(needs);
  requireWithin(given, client);
  const text = promptText(method, {
    has: probe => present.has(probe),
    propose: program => client.propose(program),
    scope: client.scope,
  });
  return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
}

/** Under a scope of pids a program about another pid would only ever be silent. @throws Refusal */
function requireWithin({ process = '' }: Record<string, string>, { scope }: ClientView): void {
  const pid = Number(process);
  if (!scope?.pids || scope.cgroups || !Number.isInteger(pid) || pid <= 0 || scope.pids.includes(pid)) return;
  throw new Refusal(
    'policy_denied',
    `process ${pid} is not in the operator's scope`,
    `pass one of ${scope.pids.join(', ')}, or none for all of them`,
    { rule: 'scope' },
  );
}
