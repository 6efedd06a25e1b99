import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { fetchOf } from '../../../src/mcp/connect/place.js';
import { type AgentsReport, type AgentsTask, NUMBERS_EACH } from './crew.js';
import { Agent, WORK } from './work.js';

/**
 * A process of a fleet's agents: real clients of the SDK, each with a session of its own. Told by its parent what to do,
 * in three steps: connect; run the programs and tell how it went; ask for executions of others, which must not be seen.
 */
async function connect({ url, socketPath, tokens, first }: AgentsTask, at: number): Promise<Agent> {
  const token = tokens[at];
  // Node's own fetch knows no Unix sockets.
  const fetch = socketPath === undefined ? undefined : fetchOf({ url: new URL(url), socketPath });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    ...(fetch && { fetch }),
    ...(token !== undefined && { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
  });
  const name = `agent-${first + at}`;
  const client = new Client({ name, version: '0' });
  // A closed session's stream ends with an error, which is no news then.
  client.onerror = () => {};
  await client.connect(transport);
  return new Agent(client, name);
}

async function work(agent: Agent, number: number, { programs, atOnce }: AgentsTask): Promise<void> {
  const kinds = Object.keys(WORK);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < programs) {
      const at = next++;
      const kind = kinds[(number + at) % kinds.length] ?? '';
      const begun = performance.now();
      try {
        await WORK[kind]?.(agent, number * NUMBERS_EACH + at);
      } catch (error) {
        agent.wrong.push(`${agent.name}, ${kind}: ${error instanceof Error ? error.message : error}`);
      }
      agent.latenciesMs.push({ kind, ms: performance.now() - begun });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const own = new Set(agent.ids);
  let seen = 0;
  for (let cursor: unknown; ; ) {
    const { structuredContent } = await agent.call('list_executions', cursor ? { cursor } : {});
    const page = structuredContent as { executions: { execution_id: string }[]; next_cursor?: string };
    seen += page.executions.length;
    const strange = page.executions.filter(({ execution_id }) => !own.has(execution_id));
    if (strange.length > 0) agent.wrong.push(`${agent.name} sees ${strange.length} executions of others`);
    cursor = page.next_cursor;
    if (cursor === undefined) break;
  }
  if (seen !== own.size) agent.wrong.push(`${agent.name} sees ${seen} of its ${own.size} executions`);
}

/** Whether any of these can be read or stopped by an agent that has not submitted it. */
async function pry(agent: Agent, ids: readonly string[]): Promise<void> {
  for (const execution_id of ids.filter(id => !agent.ids.includes(id))) {
    for (const tool of ['get_result', 'stop_program']) {
      const reply = await agent.call(tool, { execution_id });
      if (reply.isError && JSON.stringify(reply.content).includes('unknown_execution')) continue;
      agent.wrong.push(
        `${agent.name}, ${tool} of another's ${execution_id}: ${JSON.stringify(reply.content)}`,
      );
    }
  }
}

const send = (message: AgentsReport): void => void process.send?.(message);
const task: AgentsTask = JSON.parse(process.argv[2] ?? '');
const agents = await Promise.all(Array.from({ length: task.clients }, (_, at) => connect(task, at)));

process.on('message', async (message: { go?: true; foreign?: string[] }) => {
  if (message.go) {
    await Promise.all(agents.map((agent, at) => work(agent, task.first + at, task)));
    send({
      done: {
        ids: agents.flatMap(({ ids }) => ids),
        latenciesMs: agents.flatMap(({ latenciesMs }) => latenciesMs),
        busy: agents.reduce((sum, { busy }) => sum + busy, 0),
      },
    });
  }
  if (message.foreign) {
    const { foreign } = message;
    await Promise.all(
      agents.map((agent, at) =>
        pry(
          agent,
          foreign.filter((_, n) => n % agents.length === at),
        ),
      ),
    );
    send({ wrong: agents.flatMap(({ wrong }) => wrong) });
    await Promise.all(agents.map(({ client }) => client.close()));
    process.disconnect();
  }
});
send({ connected: agents.length });
