import type { Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import { ResultStore } from '../results/store.js';
import type { Execution } from './execution.js';
import { wasIssued } from './ids.js';

/** All executions that are known: those that have not ended, and what is kept of those that have. */
export class Executions {
  private readonly active = new Map<string, Execution>();
  private readonly finished: ResultStore<Execution>;

  constructor(private readonly config: Config) {
    this.finished = new ResultStore({
      ttlMs: config.resultTtlS * 1000,
      maxCount: config.maxResults,
      maxBytes: config.maxResultsBytes,
    });
  }

  add(execution: Execution): void {
    this.active.set(execution.id, execution);
  }

  hasEnded(execution: Execution): void {
    this.active.delete(execution.id);
    this.finished.add(execution, execution.owner.limits.resultBytes);
  }

  /** Not ended; the oldest first. */
  get open(): Execution[] {
    return [...this.active.values()];
  }

  /** Of one client, newest first. */
  of(client: string): Execution[] {
    const active = this.open.reverse().filter(execution => execution.client === client);
    return [...active, ...this.finished.of(client)];
  }

  /** @throws Refusal `unknown_execution` or `result_gone` */
  find(client: string, id: string): Execution {
    const execution = this.active.get(id) ?? this.finished.get(id);
    if (execution && execution.client === client) return execution;
    if (!execution && wasIssued(id)) {
      const { resultTtlS, maxResults, maxResultsBytes } = this.config;
      throw new Refusal(
        'result_gone',
        `the result of execution ${id} has been forgotten`,
        `results are kept ${resultTtlS} s after the end, and less when ${maxResults} newer ones or ${maxResultsBytes} bytes are reached, or a bound of your own; run the program again`,
      );
    }
    throw new Refusal(
      'unknown_execution',
      `there is no execution ${JSON.stringify(id.slice(0, 80))}`,
      'pass the execution_id that exec_program gave, whole; list_executions shows yours',
    );
  }

  get finishedCount(): number {
    return this.finished.count;
  }

  get finishedBytes(): number {
    return this.finished.bytes;
  }
}
