import { readFile } from 'node:fs/promises';
import {
  type Context,
  type Diagnostic,
  type DiagnosticHost,
  diagnose,
  explain,
} from '../bpftrace/diagnostics/index.js';
import type { Installation } from '../bpftrace/installation.js';
import type { ProbeIndex } from '../bpftrace/probes/index.js';

const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
/** A failure is told without hints rather than later: the first list of a slow host's probes takes longer. */
const HINTS_BOUND_MS = 10_000;
/** Of a C type; task_struct has some 300. */
const MEMBERS_MAX = 1000;

/** Tells what bpftrace said, with hints from this host's probes and the installed version. */
export class Diagnostician {
  private readonly host: DiagnosticHost;

  constructor(
    probes: ProbeIndex,
    private readonly installation: Installation,
  ) {
    this.host = hostOf(probes);
  }

  /** Never throws; takes at most {@link HINTS_BOUND_MS}. */
  async explain(stderr: string, context: Pick<Context, 'program' | 'lastLine'>): Promise<Diagnostic[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Diagnostic[]>(resolve => {
      timer = setTimeout(() => resolve(diagnose(stderr, context)), HINTS_BOUND_MS);
    });
    try {
      return await Promise.race([this.withHints(stderr, context), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async withHints(stderr: string, context: Context): Promise<Diagnostic[]> {
    const version = await this.installation.version();
    return explain(stderr, { ...context, version }, this.host);
  }
}

function hostOf(probes: ProbeIndex): DiagnosticHost {
  return {
    nearestProbes: (name, limit) => probes.nearest(name, limit),
    async probesAbout(words, limit) {
      const { probes: found } = await orElse(probes.find({ filter: words, limit }), { probes: [] });
      return found.map(({ name }) => name);
    },
    countProbes: pattern => orElse(probes.countMatching(pattern), undefined),
    async fieldsOf(probe) {
      const known = await fieldsInTracefs(probe);
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
async function fieldsInTracefs(probe: string): Promise<string[] | undefined> {
  const [, event] = /^tracepoint:(\w+:\w+)$/.exec(probe) ?? [];
  if (event === undefined) return undefined;
  for (const tracefs of TRACEFS) {
    const format = await orElse(
      readFile(`${tracefs}/events/${event.replace(':', '/')}/format`, 'utf8'),
      undefined,
    );
    if (format === undefined) continue;
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
