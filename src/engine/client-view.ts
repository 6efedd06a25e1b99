import type { ProbePage, ProbeQuery } from '../bpftrace/probes/page.js';
import { type Helper, listHelpers } from '../bpftrace/reference/index.js';
import { atLeast } from '../bpftrace/version.js';
import type { ScopeDescription } from '../policy/scope/scope.js';
import type { Result, Status, Summary } from '../results/result.js';
import type { Client } from './client.js';
import type { Engine } from './engine.js';
import type { Place } from './estimates.js';
import type { Execution } from './execution.js';
import { type Glance, glanceAt } from './glance.js';
import { type HostInfo, hostInfo } from './host-info.js';
import { resultOf, summaryOf } from './report.js';
import type { SubmitRequest } from './request.js';
import { takeSnapshot } from './snapshot.js';
import type { Validation } from './validation.js';
import { type Bound, untilChanged, untilEnded, untilNews, untilSettled } from './waiting.js';
import type { Window } from './window.js';

/**
 * The engine as one client sees it: its own executions, by id, as plain data. Every method that takes an id
 * throws a `Refusal` with the code `unknown_execution` or `result_gone` for an id that is not the client's (any more).
 */
export class ClientView {
  /** Submitted through this view, and not ended. */
  private readonly open = new Set<Execution>();

  constructor(
    private readonly engine: Engine,
    private readonly client: Client,
  ) {}

  /** A program may come soon: has a bpftrace started that waits for it. Without this, the first program is started cold. */
  keepReady(): void {
    this.engine.keepReady();
  }

  /**
   * Hands in a program and gives back its execution's id at once.
   * @throws Refusal `busy`, `invalid_argument`, `no_bpftrace`, `no_privilege`, `shutting_down`
   */
  submit(request: SubmitRequest): string {
    const execution = this.engine.tracing.submit(this.client, request);
    this.open.add(execution);
    void execution.ended.promise.then(() => this.open.delete(execution));
    return execution.id;
  }

  /**
   * Whoever used this view has gone: what was submitted through it is stopped, and keeps what it gathered. Other
   * views of the same client go on.
   */
  leave(): void {
    // The newest first: what waits has no chance to begin.
    for (const execution of [...this.open].reverse()) {
      this.engine.tracing.stop(execution, { cause: 'stop', why: 'its client went away' });
    }
  }

  /** Waits until it is attached, has ended, or has to queue. */
  async untilSettled(id: string, bound: Bound): Promise<void> {
    await untilSettled(this.find(id), bound);
  }

  /** Waits until lines beyond `offset` or newer maps than now are there, or it has ended. */
  async untilNews(id: string, offset: number, bound: Bound): Promise<void> {
    await untilNews(this.find(id), offset, bound);
  }

  async untilEnded(id: string, bound: Bound): Promise<void> {
    await untilEnded(this.find(id), bound);
  }

  /**
   * Has the maps of a running execution read as they are now; {@link result} shows them. Those of one that has
   * ended are there already.
   * @returns undefined, or why there are none
   */
  async snapshot(id: string, bound: Bound): Promise<string | undefined> {
    return takeSnapshot(this.find(id), bound);
  }

  /** Waits until there is something new since a glance that had this `version`, or it has ended. */
  async untilChanged(id: string, version: number, bound: Bound): Promise<void> {
    await untilChanged(this.find(id), version, bound);
  }

  /** How it stands, cheaply. */
  glance(id: string): Glance {
    const execution = this.find(id);
    return glanceAt(execution, this.placeOf(execution));
  }

  /** What is known now, or the part of it that `window` asks for. @throws Refusal `invalid_argument`, `offset_out_of_range` */
  result(id: string, window?: Window): Result {
    const execution = this.find(id);
    return resultOf(execution, this.placeOf(execution), window);
  }

  /** Newest first. */
  list(status?: Status): Summary[] {
    const executions = this.engine.executions.of(this.client.name);
    return executions
      .filter(execution => status === undefined || execution.status === status)
      .map(execution => summaryOf(execution, this.placeOf(execution)));
  }

  /** Asks for the end; wait for it with {@link untilEnded}. Of an execution that has ended it asks nothing. */
  stop(id: string): void {
    this.engine.tracing.stop(this.find(id), { cause: 'stop' });
  }

  /** Whether a program compiles and what it would attach to; it is not run. @throws Refusal as {@link submit} */
  async validate(program: string, signal: AbortSignal): Promise<Validation> {
    return this.engine.validate(this.client, program, signal);
  }

  probes(query: ProbeQuery): Promise<ProbePage> {
    return this.engine.services.of(this.client.policy).probes.find(query);
  }

  /** Those of some probes that this host lists. @param names in full, such as `tracepoint:sched:sched_switch` */
  async present(names: readonly string[]): Promise<Set<string>> {
    const asked = [...new Set(names)];
    const { probes } = this.engine.services.of(this.client.policy);
    const counts = await Promise.all(asked.map(name => probes.countMatching(name)));
    return new Set(asked.filter((_, at) => counts[at] !== 0));
  }

  /** A program to propose to this client, as the policy has it, or why it is denied. */
  propose(program: string): { program: string } | { denied: string } {
    return this.client.policy.propose(program);
  }

  /** Whose events programs may report; undefined: everybody's. */
  get scope(): ScopeDescription | undefined {
    return this.client.policy.description.scope;
  }

  /** How the installed bpftrace writes a field of a probe: `args.`, or `args->`, which all take where it is not known. */
  async fieldAccess(): Promise<'args.' | 'args->'> {
    const version = await this.engine.installation.version();
    return version && atLeast(version, '0.19') ? 'args.' : 'args->';
  }

  async helpers(filter?: string): Promise<Helper[]> {
    return listHelpers(await this.engine.installation.version(), filter);
  }

  info(): Promise<HostInfo> {
    return hostInfo(this.engine, this.client);
  }

  private placeOf(execution: Execution): Place | undefined {
    return execution.status === 'queued' ? this.engine.estimates.of(execution.job) : undefined;
  }

  private find(id: string): Execution {
    return this.engine.executions.find(this.client.name, id);
  }
}
