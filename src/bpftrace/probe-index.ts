import { readFileSync } from 'node:fs';
import { Refusal } from '../contract/errors.js';
import type { Answer } from './ask.js';
import { headline, parseDiagnostics } from './diagnostics.js';
import { matcherOf } from './probe-filter.js';

/** A list older than this is made anew: uprobes apart, probes come and go with kernel modules and little else. */
const FRESH_MS = 10 * 60_000;
const DETAILS_AT_ONCE = 4;
export const PROBE_LIMIT_DEFAULT = 50;
export const PROBE_LIMIT_MAX = 1000;
/** Each probe's details cost a run of bpftrace. */
export const DETAILS_LIMIT_MAX = 20;

export interface ProbeQuery {
  filter?: string | undefined;
  limit?: number | undefined;
  /** The last probe of the page before. */
  cursor?: string | undefined;
  details?: boolean | undefined;
}

export interface ProbePage {
  probes: { name: string; fields?: string[] }[];
  count: number;
  total: number;
  next_cursor?: string;
}

/**
 * What can be traced, from one `bpftrace -l`, kept until a kernel module is loaded or removed. Probes inside
 * a binary (`uprobe:/bin/bash:*`) are asked for when somebody names the binary.
 */
export class ProbeIndex {
  private list: Promise<string[]> | undefined;
  private listedAt = 0;
  private modules = '';

  /** @param ask runs bpftrace with these arguments */
  constructor(private readonly ask: (args: readonly string[]) => Promise<Answer>) {}

  /** @throws Refusal `invalid_argument` for a filter that can't be one; `internal` when bpftrace can't list */
  async find(query: ProbeQuery): Promise<ProbePage> {
    const filter = query.filter?.trim() ?? '';
    if (/[\0\n\r]/.test(filter)) {
      throw new Refusal(
        'invalid_argument',
        'filter holds a line break or a NUL byte',
        'pass one pattern or a few words',
      );
    }
    const all = isInBinary(filter)
      ? await this.ofBinary(filter)
      : (await this.all()).filter(matcherOf(filter));
    const limit = Math.min(
      query.limit ?? PROBE_LIMIT_DEFAULT,
      query.details ? DETAILS_LIMIT_MAX : PROBE_LIMIT_MAX,
    );
    const { cursor } = query;
    const begin = cursor === undefined ? 0 : all.findIndex(name => name > cursor);
    const page = begin < 0 ? [] : all.slice(begin, begin + limit);
    const last = page.at(-1);
    const more = last !== undefined && begin + page.length < all.length;
    return {
      probes: query.details ? await this.detailed(page) : page.map(name => ({ name })),
      count: page.length,
      total: all.length,
      ...(more && { next_cursor: last }),
    };
  }

  /** Every probe of the kernel, sorted, each once. */
  private all(): Promise<string[]> {
    const modules = loadedModules();
    const stale = performance.now() - this.listedAt > FRESH_MS || modules !== this.modules;
    if (!this.list || stale) {
      this.modules = modules;
      this.listedAt = performance.now();
      this.list = this.ofKernel();
      // A failure is not kept: the next question tries again.
      this.list.catch(() => {
        this.list = undefined;
      });
    }
    return this.list;
  }

  private async ofBinary(filter: string): Promise<string[]> {
    const answer = await this.ask(['-l', filter]);
    const names = probesOf(answer);
    if (names.length > 0 || answer.status === 0) return names;
    throw new Refusal(
      'invalid_argument',
      `bpftrace finds no probes there: ${headline(parseDiagnostics(answer.stderr)) ?? 'it does not say why'}`,
      'name a binary and a function or pattern, such as uprobe:/usr/bin/bash:*read*',
    );
  }

  private async ofKernel(): Promise<string[]> {
    const answer = await this.ask(['-l']);
    const names = probesOf(answer);
    if (names.length > 0) return names;
    throw new Refusal(
      'internal',
      `bpftrace lists no probes: ${headline(parseDiagnostics(answer.stderr)) ?? `exit status ${answer.status}`}`,
      'call bpf_info to see what is missing on this host',
    );
  }

  private async detailed(names: readonly string[]): Promise<ProbePage['probes']> {
    const probes: ProbePage['probes'] = [];
    for (let i = 0; i < names.length; i += DETAILS_AT_ONCE) {
      const some = names.slice(i, i + DETAILS_AT_ONCE);
      probes.push(
        ...(await Promise.all(some.map(async name => ({ name, fields: await this.fieldsOf(name) })))),
      );
    }
    return probes;
  }

  private async fieldsOf(name: string): Promise<string[]> {
    const { stdout } = await this.ask(['-lv', name]);
    return stdout
      .split('\n')
      .filter(line => /^\s+\S/.test(line))
      .map(line => line.trim());
  }
}

function isInBinary(filter: string): boolean {
  return /^(?:uprobe|uretprobe|usdt|u|ur|U):[^:]/.test(filter);
}

/** Sorted, each once. 0.17 lists `hardware:*:` and `software:*:`, which are no probes. */
function probesOf(answer: Answer): string[] {
  const names = answer.stdout.split('\n').filter(line => /^[a-z]+:/.test(line) && !line.endsWith(':*:'));
  return [...new Set(names)].sort();
}

function loadedModules(): string {
  try {
    return readFileSync('/proc/modules', 'utf8').replace(/ .*/g, '');
  } catch {
    return '';
  }
}
