import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  type CallToolResult,
  CancelTaskRequestSchema,
  ErrorCode,
  GetTaskPayloadRequestSchema,
  GetTaskRequestSchema,
  ListTasksRequestSchema,
  McpError,
  type Task,
} from '@modelcontextprotocol/sdk/types.js';
import { Refusal } from '../contract/errors.js';
import type { ClientView, Window } from '../engine/index.js';
import { pageOf } from './paging.js';
import { glanceText, type Progress, telling } from './progress.js';
import { resultText } from './result-text.js';
import { windowOf } from './tools/window.js';

const RELATED_TASK = 'io.modelcontextprotocol/related-task';
const POLL_MS = 1000;
/** Windows remembered for results that are asked for later; the default one serves the others. */
const WINDOWS_MAX = 1024;

/**
 * Executions as the protocol's (experimental) tasks: a task is an execution, its id the execution's, its state
 * read from the execution whenever it is asked for. So nothing has to be kept in step, and every execution of
 * the client can be followed as a task, however it was begun.
 *
 *   working    queued, starting, running
 *   completed  it ended: by exit(), by its deadline, or failed. The call was answered then, and the answer says
 *              which; the SDK's client throws the result of a `failed` task away, diagnostics and all.
 *   cancelled  its end was asked for, by tasks/cancel or stop_program. tasks/result has what was gathered.
 */
export class Tasks {
  private readonly windows = new Map<string, Window>();

  /** @param ttlMs how long a result is kept after its end */
  constructor(
    private readonly server: Server,
    private readonly client: ClientView,
    private readonly ttlMs: number,
  ) {
    server.setRequestHandler(GetTaskRequestSchema, ({ params }) => this.task(params.taskId));
    server.setRequestHandler(ListTasksRequestSchema, ({ params }) => {
      const { page, nextCursor } = pageOf(client.list(), params?.cursor);
      const tasks = page.map(({ execution_id }) => this.task(execution_id));
      return { tasks, ...(nextCursor && { nextCursor }) };
    });
    server.setRequestHandler(CancelTaskRequestSchema, ({ params: { taskId } }) => {
      const { status } = this.task(taskId);
      if (status !== 'working') {
        throw new McpError(ErrorCode.InvalidParams, `the task can't be cancelled: it is ${status} already`);
      }
      client.stop(taskId);
      return this.task(taskId);
    });
    server.setRequestHandler(GetTaskPayloadRequestSchema, async ({ params: { taskId } }, { signal }) => {
      this.task(taskId);
      await client.untilEnded(taskId, { boundMs: Number.POSITIVE_INFINITY, signal });
      return this.result(taskId);
    });
  }

  /** Follows an execution that was begun as a task: tells of progress, and of its end. */
  begin(id: string, window: Window, progress: Progress): { task: Task } {
    this.windows.set(id, window);
    const [oldest] = this.windows.keys();
    if (this.windows.size > WINDOWS_MAX && oldest !== undefined) this.windows.delete(oldest);
    const forever = Number.POSITIVE_INFINITY;
    const ended = this.client.untilEnded(id, { boundMs: forever });
    void telling(progress, this.client, id, forever, ended)
      .then(() => this.server.notification({ method: 'notifications/tasks/status', params: this.task(id) }))
      .catch(() => {}); // Nobody is connected any more, or the result was forgotten: nobody is told.
    return { task: this.task(id) };
  }

  private task(id: string): Task {
    try {
      const glance = this.client.glance(id);
      const { stopAsked, ended, submittedAt, endedAt } = glance;
      return {
        taskId: id,
        status: stopAsked ? 'cancelled' : ended ? 'completed' : 'working',
        statusMessage: glanceText(glance),
        ttl: this.ttlMs,
        createdAt: submittedAt.toISOString(),
        lastUpdatedAt: (endedAt ?? submittedAt).toISOString(),
        pollInterval: POLL_MS,
      };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new McpError(ErrorCode.InvalidParams, `${error.code}: ${error.message}; ${error.next}`);
    }
  }

  private result(id: string): CallToolResult {
    const structured = this.client.result(id, this.windows.get(id) ?? windowOf({}));
    return {
      content: [{ type: 'text', text: resultText(structured) }],
      structuredContent: structured,
      _meta: { [RELATED_TASK]: { taskId: id } },
    };
  }
}
