import type { Audit, Submission } from '../audit/audit.js';
import type { Config } from '../config.js';
import { monotonicMs } from '../contract/cell.js';
import { Refusal } from '../contract/errors.js';
import type { HostGuard } from '../guard/host-guard.js';
import type { FairQueue } from '../queue/fair-queue.js';
import type { Replay } from '../recording/replay.js';
import type { Client } from './client.js';
import type { Execution } from './execution.js';
import { tell } from './hooks.js';
import { Rates } from './rate.js';
import { programHash, programOf, type SubmitRequest } from './request.js';
import type { Run } from './run.js';

/** An audit line tells why in so many characters, and no more of a refused text than the longest program. */
const WHY_CHARACTERS_MAX = 1000;

interface AdmissionParts {
  config: Config;
  guard: HostGuard;
  /** @throws Refusal `no_bpftrace`, `no_privilege` */
  requireBpftrace: () => string;
  /** Only what was recorded can be run. */
  replay: Replay | undefined;
  queue: Pick<FairQueue<Run>, 'hasRoom' | 'holds' | 'length' | 'limit' | 'running'>;
  /** Executions that run or wait. */
  open: () => Execution[];
  /** Whole s until one of these has likely ended. */
  freeInS: (executions: readonly Execution[]) => number;
  audit?: Audit | undefined;
  onSubmit?: ((submission: Submission) => void) | undefined;
}

/** Decides what may run, in the order of what a caller can do about it, and has each decision written down. */
export class Admission {
  private closing: { endsAtMs: number } | undefined;
  private readonly rates = new Rates();

  constructor(private readonly parts: AdmissionParts) {}

  /** From now on nothing is taken. @param withinMs when the last of what runs is told to end */
  close(withinMs: number): void {
    this.closing = { endsAtMs: monotonicMs() + withinMs };
  }

  get isClosed(): boolean {
    return this.closing !== undefined;
  }

  /**
   * The text of a program that may run now, and the run that it joins.
   * @param find a run that a program may join
   * @throws Refusal
   */
  run(
    client: Client,
    request: SubmitRequest,
    execution: string,
    deadlineMs: number,
    find: (program: string) => Run | undefined,
  ): { program: string; joined: Run | undefined } {
    const about = { kind: 'run' as const, client: client.name, execution, deadlineMs };
    const decide = () => {
      const program = this.program(client, request.program);
      this.parts.replay?.require(program);
      this.requireNumbers(request);
      this.parts.requireBpftrace();
      const joined = this.roomFor(client, find(program));
      this.requireRate(client);
      return { program, joined };
    };
    return this.decided(about, request.program, decide, ({ joined }) => {
      return joined ? { childOf: joined.options.id } : {};
    });
  }

  /** The text of a program that may be compiled here. @throws Refusal */
  validate(client: Client, text: string): string {
    return this.decided({ kind: 'validate', client: client.name }, text, () => {
      const program = this.program(client, text);
      this.parts.requireBpftrace();
      return program;
    });
  }

  private decided<T>(
    about: Pick<Submission, 'kind' | 'client' | 'execution' | 'deadlineMs'>,
    text: unknown,
    decide: () => T,
    more: (decided: T) => Pick<Submission, 'childOf'> = () => ({}),
  ): T {
    const written = String(text ?? '')
      .replace(/^\uFEFF/, '')
      .slice(0, this.parts.config.maxProgramBytes);
    const submission = { ...about, program: programHash(written), text: written };
    let decided: T;
    try {
      decided = decide();
    } catch (error) {
      if (error instanceof Refusal) {
        const { execution: _none, ...refused } = submission;
        const rule = error.details.rule;
        const why = error.message.slice(0, WHY_CHARACTERS_MAX);
        this.tell({
          ...refused,
          decision: error.code,
          why,
          ...(typeof rule === 'string' && { rule }),
        });
      }
      throw error;
    }
    this.tell({ ...submission, decision: 'admitted', ...more(decided) });
    return decided;
  }

  private tell(submission: Submission): void {
    const { audit, onSubmit } = this.parts;
    try {
      audit?.submitted(submission);
    } catch (error) {
      if (error instanceof Refusal)
        tell(onSubmit, { ...submission, decision: error.code, why: error.message });
      throw error;
    }
    tell(onSubmit, submission);
  }

  /** Why any program would be refused now, whoever asks. */
  get obstacles(): Refusal[] {
    const { audit, requireBpftrace } = this.parts;
    const demands = [
      () => this.requireOpen(),
      requireBpftrace,
      () => this.requireCalm(),
      () => audit?.requireWritable(),
    ];
    return demands.flatMap(demand => {
      try {
        demand();
        return [];
      } catch (error) {
        if (error instanceof Refusal) return [error];
        throw error;
      }
    });
  }

  /** @throws Refusal `shutting_down` */
  private requireOpen(): void {
    if (!this.closing) return;
    const leftS = Math.max(0, Math.ceil((this.closing.endsAtMs - monotonicMs()) / 1000));
    throw new Refusal(
      'shutting_down',
      leftS > 0
        ? `the server is shutting down: no more programs are taken, and what runs is ended within ${leftS} s`
        : 'the server is shutting down',
      'start it again, or wait until it is back, and submit the program there',
      { ends_in_s: leftS },
    );
  }

  /** @throws Refusal `host_distress` */
  private requireCalm(): void {
    const distress = this.parts.guard.distress();
    if (distress === undefined) return;
    throw new Refusal(
      'host_distress',
      `the machine is in distress: ${distress}`,
      'tracing would add to it: wait until bpf_info tells of none; the operator can change --host-guard',
    );
  }

  private program(client: Client, text: string): string {
    this.requireOpen();
    const program = programOf(text, this.parts.config);
    const { replay } = this.parts;
    if (!replay?.wasAdmitted(program, client.policy)) client.policy.require(program);
    return program;
  }

  private requireNumbers({ deadlineMs, maxLines }: SubmitRequest): void {
    const { config } = this.parts;
    const longestMs = config.maxTimeoutS * 1000;
    if (deadlineMs !== undefined && !(deadlineMs > 0 && deadlineMs <= longestMs)) {
      throw new Refusal(
        'invalid_argument',
        `the deadline is ${deadlineMs} ms, and must be above 0 and at most ${longestMs}`,
        'pass one within that range, or none for the default',
      );
    }
    const mostLines = config.maxLines;
    if (maxLines !== undefined && !(Number.isInteger(maxLines) && maxLines >= 1 && maxLines <= mostLines)) {
      throw new Refusal(
        'invalid_argument',
        `${maxLines} lines are to be kept, and it must be a whole number from 1 to ${mostLines}`,
        'pass one within that range, or none for the default',
      );
    }
  }

  /** The run to join, if the client may. @throws Refusal `busy`, `host_distress` */
  private roomFor({ name, limits }: Client, run: Run | undefined): Run | undefined {
    const { queue, freeInS } = this.parts;
    const { open } = this.parts;
    // Thousands may wait: they are looked through only for a bound that there is.
    const own = Number.isFinite(limits.open) ? open().filter(({ client }) => client === name) : [];
    if (own.length >= limits.open) {
      const retryS = freeInS(own);
      throw new Refusal(
        'busy',
        `busy: ${own.length} of your programs run or wait, which is the limit for a client`,
        `submit again when some of them have ended, likely in ${retryS} s; list_executions shows them, stop_program ends one`,
        { open: own.length, limit: limits.open, retry_after_s: retryS },
      );
    }
    this.requireCalm();
    // One that waits takes room for the one who joins too; one that runs does not, but it counts.
    const isUnderWay = run !== undefined && run.status !== 'queued';
    if (isUnderWay && queue.holds(name) < limits.concurrent) return run;
    if (queue.hasRoom(name, limits.concurrent)) return isUnderWay ? undefined : run;
    const { length, limit, running } = queue;
    const retryS = freeInS(open());
    throw new Refusal(
      'busy',
      `busy: ${running} programs are running and ${length} wait, which is the limit`,
      `submit again when some of them have ended, likely in ${retryS} s; list_executions shows yours, stop_program ends one`,
      { running, queue_length: length, queue_limit: limit, retry_after_s: retryS },
    );
  }

  /** Last: a program that is refused for another reason costs the client nothing. */
  private requireRate({ name, limits: { perMinute } }: Client): void {
    const waitMs = this.rates.take(name, perMinute);
    if (waitMs === 0) return;
    const retryS = Math.max(1, Math.ceil(waitMs / 1000));
    throw new Refusal(
      'busy',
      `busy: you have handed in ${perMinute} programs within a minute, which is the limit for a client`,
      `submit again in ${retryS} s`,
      { per_minute: perMinute, retry_after_s: retryS },
    );
  }
}
