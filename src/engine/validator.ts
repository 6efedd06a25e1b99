import {
  type JudgedAttachPoint,
  judgeAttachPoint,
  ONLY_ATTACHING_TELLS,
  type ProbeLists,
} from '../bpftrace/attach-judgement.js';
import { type CommandResult, NOT_RECORDED, runCommand } from '../bpftrace/checks/command.js';
import { type CompileMethod, compileMethod, isUsageError } from '../bpftrace/compile-method.js';
import { type Diagnostic, headline, worthShowing } from '../bpftrace/diagnostics/index.js';
import { outline } from '../bpftrace/language/outline.js';
import { tokenize } from '../bpftrace/language/tokenizer.js';
import type { BpftraceVersion } from '../bpftrace/version.js';
import { Refusal } from '../contract/errors.js';
import type { SpawnPlan } from '../contract/trace.js';
import { refusalIn } from '../privilege/sudo.js';
import { FairQueue } from '../queue/fair-queue.js';
import type { Job } from '../queue/line.js';
import type { Validation } from './validation.js';

/** The slowest seen, 300 tracepoints on a busy machine: 2 s. */
const COMPILE_BOUND_MS = 20_000;
/** The first list of probes takes some hosts 8 s; a verdict does not wait for it that long. */
const LISTS_BOUND_MS = 5000;
/** Compilations. */
const AT_ONCE = 2;
const WAITING_MAX = 64;
const ATTACH_POINTS_MAX = 50;
const NAMES_MAX = 5;

interface ValidatorParts {
  version: () => Promise<BpftraceVersion | undefined>;
  /** @param lifetimeMs after which it is ended, whoever is still there. @throws Refusal */
  plan: (args: readonly string[], lifetimeMs: number) => SpawnPlan;
  lists: ProbeLists;
  explain: (stderr: string, program: string) => Promise<Diagnostic[]>;
  /** Of compilations: see {@link compilationQueue}. */
  queue: CompilationQueue;
}

export type CompilationQueue = FairQueue<Job>;

/** One for all validators of a server: a compiler takes a processor for itself. */
export function compilationQueue(): CompilationQueue {
  return new FairQueue(AT_ONCE, WAITING_MAX);
}

/** Judges programs without running them: has them compiled, and looks for what they attach to. */
export class Validator {
  private readonly closed = new AbortController();

  constructor(private readonly parts: ValidatorParts) {}

  /** @throws Refusal `busy`, `no_bpftrace`, `no_privilege` */
  async validate(client: string, program: string, signal: AbortSignal): Promise<Validation> {
    const version = await this.parts.version();
    const method = version && compileMethod(version);
    if (!method) return unknown('this bpftrace is not known to compile a program without running it');
    const cancel = AbortSignal.any([signal, this.closed.signal]);
    const [compiled, points] = await Promise.all([
      this.compile(client, method, program, cancel),
      this.judgeAttachPoints(program),
    ]);
    if (!compiled || cancel.aborted) return unknown('nobody waited for it any longer');
    return this.verdict(method, program, compiled, points);
  }

  /** Ends what is being compiled. */
  close(): void {
    this.closed.abort();
  }

  /** Undefined when it was cancelled before its turn came. */
  private compile(
    client: string,
    method: CompileMethod,
    program: string,
    cancel: AbortSignal,
  ): Promise<CommandResult | undefined> {
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        if (cancel.aborted) return resolve(undefined);
        const plan = this.parts.plan(method.args, COMPILE_BOUND_MS);
        resolve(await runCommand(plan, { timeoutMs: COMPILE_BOUND_MS, stdin: program, cancel }));
      };
      const job = { run: () => run().catch(reject) };
      const ticket = { job, client, priority: 0, runningMax: Number.POSITIVE_INFINITY };
      if (this.parts.queue.offer(ticket)) return;
      reject(
        new Refusal(
          'busy',
          `${AT_ONCE} programs are being compiled and ${WAITING_MAX} wait, which is the limit`,
          'try again in a moment',
        ),
      );
    });
  }

  /** Undefined where the program's text or the lists do not tell. */
  private async judgeAttachPoints(program: string): Promise<JudgedAttachPoint[] | undefined> {
    const { probes, problem } = outline(tokenize(program));
    const points = probes.flatMap(({ attachPoints }) => attachPoints);
    if (problem || points.length > ATTACH_POINTS_MAX) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(() => resolve(undefined), LISTS_BOUND_MS);
    });
    const judged = Promise.all(points.map(point => judgeAttachPoint(point, this.parts.lists, NAMES_MAX)));
    try {
      return await Promise.race([judged, late]);
    } catch {
      return undefined; // No list: whoever compiles says why.
    } finally {
      clearTimeout(timer);
    }
  }

  private async verdict(
    method: CompileMethod,
    program: string,
    compiled: CommandResult,
    points: JudgedAttachPoint[] | undefined,
  ): Promise<Validation> {
    const { exitCode, signal, spawnError, stdout, stderr, timedOut } = compiled;
    const compiling = `compiled by bpftrace ${method.name}`;
    if (spawnError === NOT_RECORDED) {
      return unknown('this is a replay, and this program was not validated when it was recorded');
    }
    if (spawnError) return unknown(`bpftrace could not be started: ${spawnError}`);
    const refusal = exitCode === 0 ? undefined : refusalIn(stderr);
    if (refusal) return unknown(refusal);
    if (isUsageError(stdout, stderr)) return unknown(`this bpftrace has no ${method.name}`);
    if (timedOut || signal === 'SIGKILL') {
      return unknown(
        `it was not compiled within ${COMPILE_BOUND_MS / 1000} s`,
        `${compiling}, and ended before that was done`,
      );
    }
    const all = await this.parts.explain(stderr, program);
    const failed = exitCode !== 0;
    const probes = method.findsProbes && !failed ? points?.map(confirmed) : points;
    const said = headline(all.filter(({ noise }) => !noise));
    const lookedUp = method.findsProbes ? 'matched by it' : 'looked up in the lists of probes';
    return {
      ...(failed
        ? { valid: false, reason: said ?? endOf(exitCode, signal) }
        : judged(method, program, probes)),
      diagnostics: worthShowing(all, failed),
      probes: probes ?? [],
      probes_total: failed || !probes ? null : sumOf(probes),
      method: `${compiling}; attach points ${lookedUp}; not loaded, not attached, not run: the kernel's verifier has not seen it`,
      attached: false,
    };
  }
}

function endOf(exitCode: number | null, signal: string | null): string {
  if (signal === null) return `bpftrace ended with exit code ${exitCode}`;
  return `bpftrace crashed on it (${signal}), which is a fault of its own: say it in another way`;
}

/** Of a program that compiles. */
function judged(
  method: CompileMethod,
  program: string,
  points: readonly JudgedAttachPoint[] | undefined,
): Pick<Validation, 'valid' | 'reason'> {
  // 0.27 compiles it, and refuses to run it. What is imported may have some.
  if (points?.length === 0 && !/\bimport\b/.test(program))
    return { valid: false, reason: 'it has no probe: there is nothing to attach' };
  if (!points && method.findsProbes) return { valid: true };
  if (!points) return { valid: null, reason: 'it compiles; what it attaches to could not be looked up' };
  const open = points.find(({ found }) => found === 'no') ?? points.find(({ found }) => found === 'unknown');
  if (!open) return { valid: true };
  return { valid: open.found === 'no' ? false : null, reason: `${open.attach_point}: ${open.note}` };
}

/** bpftrace matched it, whatever the lists say. */
function confirmed(point: JudgedAttachPoint): JudgedAttachPoint {
  if (point.found === 'yes' || point.note === ONLY_ATTACHING_TELLS) return point;
  return { attach_point: point.attach_point, found: 'yes' };
}

function sumOf(points: readonly JudgedAttachPoint[]): number | null {
  if (points.some(({ probes }) => probes === undefined)) return null;
  return points.reduce((sum, { probes = 0 }) => sum + probes, 0);
}

function unknown(reason: string, method = 'nothing was done with the program'): Validation {
  return {
    valid: null,
    reason,
    diagnostics: [],
    probes: [],
    probes_total: null,
    method,
    attached: false,
  };
}
