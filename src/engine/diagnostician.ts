import { runCommand } from '../bpftrace/checks/command.js';
import {
  type Context,
  type Diagnostic,
  type DiagnosticHost,
  diagnose,
  explain,
  isAdvised,
} from '../bpftrace/diagnostics/index.js';
import type { ProbeIndex } from '../bpftrace/probes/index.js';
import { TRACE_ARGS } from '../bpftrace/spawn-plan.js';
import type { BpftraceVersion } from '../bpftrace/version.js';
import type { SpawnPlan } from '../contract/trace.js';
import type { HostFiles } from '../recording/host-files.js';

const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
/** A failure is told without hints rather than later: the first list of a slow host's probes takes longer. */
const HINTS_BOUND_MS = 10_000;
/** Of a C type; task_struct has some 300. */
const MEMBERS_MAX = 1000;

/** Where bpftrace tells that the verifier refused a program, and not why. */
const WITHOUT_LOG =
  /^ERROR: Error loading (?:BPF )?program.*(?:\(try -v\)|Use -v for full kernel error log)/m;
/** The same words again with the verifier's, which are of use at their end: 1 MB by default. */
const VERBOSE_ARGS: readonly string[] = ['-v', ...TRACE_ARGS];
const VERBOSE_BOUND_MS = 5000;
const VERBOSE_CHARACTERS_MAX = 4 * 1024 * 1024;

interface DiagnosticianParts {
  probes: ProbeIndex;
  version: () => Promise<BpftraceVersion | undefined>;
  hostFiles: HostFiles;
  /** How to have a program refused once more; absent where its beginning must not run twice. @throws Refusal */
  again?: (args: readonly string[], lifetimeMs: number) => SpawnPlan;
}

/** Tells what bpftrace said, with hints from this host's probes and the installed version. */
export class Diagnostician {
  private readonly host: DiagnosticHost;
  private readonly closed = new AbortController();

  constructor(private readonly parts: DiagnosticianParts) {
    this.host = hostOf(parts);
  }

  /** Never throws; takes at most {@link HINTS_BOUND_MS}. */
  async explain(stderr: string, context: Pick<Context, 'program' | 'lastLine'>): Promise<Diagnostic[]> {
    const plain = diagnose(stderr, context);
    // Without one, nothing waits for a bpftrace that does not even tell its version.
    if (!plain.some(isAdvised)) return plain;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Diagnostic[]>(resolve => {
      timer = setTimeout(() => resolve(plain), HINTS_BOUND_MS);
    });
    try {
      return await Promise.race([this.withHints(stderr, context), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends what is being asked. */
  close(): void {
    this.closed.abort();
  }

  private async withHints(stderr: string, context: Context): Promise<Diagnostic[]> {
    const version = await this.parts.version();
    const words = (WITHOUT_LOG.test(stderr) && (await this.withLog(context.program ?? ''))) || stderr;
    return explain(words, { ...context, version }, this.host);
  }

  /**
   * The verifier's log comes with `-v` only, and with it on every run. So a program that was refused is loaded once
   * more, and refused again: a program whose loading fails has attached nothing that would see anything.
   */
  private async withLog(program: string): Promise<string | undefined> {
    const { again } = this.parts;
    if (!again) return undefined;
    const plan = await orElse((async () => again(VERBOSE_ARGS, VERBOSE_BOUND_MS))(), undefined);
    if (!plan) return undefined;
    const { stderr } = await runCommand(plan, {
      stdin: program,
      timeoutMs: VERBOSE_BOUND_MS,
      outputCharsMax: VERBOSE_CHARACTERS_MAX,
      cancel: this.closed.signal,
    });
    return /^ERROR: Error loading/m.test(stderr) ? stderr : undefined;
  }
}

function hostOf({ probes, hostFiles }: DiagnosticianParts): DiagnosticHost {
  return {
    nearestProbes: (name, limit) => probes.nearest(name, limit),
    async probesAbout(words, limit) {
      const page = await orElse(probes.find({ filter: words, limit }), undefined);
      // Loose: none has all of the words.
      return page && !page.loose ? page.probes.map(({ name }) => name) : [];
    },
    countProbes: pattern => orElse(probes.countMatching(pattern), undefined),
    async fieldsOf(probe) {
      const known = fieldsInTracefs(probe, hostFiles);
      if (known) return known;
      const { probes: found } = await orElse(probes.find({ filter: probe, limit: 1, details: true }), {
        probes: [],
      });
      return found.flatMap(({ fields = [] }) => fields.map(({ name }) => name));
    },
    async membersOf(type) {
      const page = await orElse(probes.find({ filter: type, limit: MEMBERS_MAX }), undefined);
      return (page?.definition ?? []).flatMap(
        // `long: 64;` fills a gap and has no name.
        line => /[\s*](\w+)(?:\[[^\]]*\])*(?::\d+)?;$/.exec(line)?.[1] ?? [],
      );
    },
  };
}

/** Where tracefs may be read, that is at once; bpftrace takes a while. */
function fieldsInTracefs(probe: string, hostFiles: HostFiles): string[] | undefined {
  const [, event] = /^tracepoint:(\w+:\w+)$/.exec(probe) ?? [];
  if (event === undefined) return undefined;
  for (const tracefs of TRACEFS) {
    let format: string;
    try {
      format = hostFiles.text(`${tracefs}/events/${event.replace(':', '/')}/format`);
    } catch {
      continue;
    }
    const names = [...format.matchAll(/\tfield:[^;]*?(\w+)(?:\[[^\]]*\])?;/g)].map(([, name = '']) => name);
    return names.filter(name => !name.startsWith('common_'));
  }
  return undefined;
}

async function orElse<T, U>(answer: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await answer;
  } catch {
    return otherwise;
  }
}
