import { Refusal } from '../../contract/errors.js';
import type {
  AskFailure,
  FieldsByName,
  FoundProbes,
  PageStart,
  ProbeFilter,
  ProbeSource,
  ProbeThread,
} from '../../contract/probes.js';
import { diagnose, headline } from '../diagnostics/index.js';
import { alwaysThere } from './always.js';
import { cursorFor, goneCursor, startOf } from './cursor.js';
import { withinRoom } from './details.js';
import { type FilterMeaning, meaningOf } from './filter.js';
import {
  DETAILS_LIMIT_DEFAULT,
  DETAILS_LIMIT_MAX,
  PROBE_LIMIT_DEFAULT,
  PROBE_LIMIT_MAX,
  type ProbePage,
  type ProbeQuery,
} from './page.js';
import { type BpftraceHost, binarySource, kernelSource } from './sources.js';
import { definitionPage, linesOf } from './types.js';

/** A client gives up after 60 s, by default; it should hear before that the list is still being made. */
const PATIENCE_MS = 45_000;
/** What bpftrace's grammar takes as it is; some symbols of C++ and Rust are not. */
const LISTABLE = /^\w+:[\w:./+@-]+$/;

/** What can be traced: asked of bpftrace once, kept and searched in a thread of its own. */
export class ProbeIndex {
  constructor(
    private readonly thread: ProbeThread,
    private readonly host: BpftraceHost,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /**
   * @throws Refusal `invalid_argument` for a filter or cursor that can't be one; `busy` when the list is not made
   *   yet; `internal` when bpftrace can't list; `no_bpftrace`, `no_privilege`
   */
  async find(query: ProbeQuery): Promise<ProbePage> {
    const filter = query.filter?.trim() ?? '';
    if (/[\0\n\r]/.test(filter)) {
      throw new Refusal(
        'invalid_argument',
        'filter holds a line break or a NUL byte',
        'pass one pattern or a few words',
      );
    }
    const start = query.cursor === undefined ? undefined : startOf(filter, query.cursor);
    const limit = query.details
      ? Math.min(query.limit ?? DETAILS_LIMIT_DEFAULT, DETAILS_LIMIT_MAX)
      : Math.min(query.limit ?? PROBE_LIMIT_DEFAULT, PROBE_LIMIT_MAX);
    // No probe's name begins so: it was meant for a command line.
    if (filter.startsWith('-')) return { probes: [], count: 0, total: 0, totals: {} };
    const meaning = meaningOf(filter);
    if (meaning.kind === 'type') {
      return this.definition(filter, meaning, limit, start);
    }
    const found = await this.search(this.sourceOf(meaning), meaning.filter, limit, start);
    if (found.lost) throw goneCursor();
    const { names, total, totals, groups, offset, generation } = found;
    const always = start || meaning.kind === 'binary' ? [] : alwaysThere(filter);
    const last = names.at(-1);
    const more = last !== undefined && offset + names.length < total;
    const end = { after: last ?? '', offset: offset + names.length, generation };
    return {
      probes: query.details ? await this.detailed(names) : names.map(name => ({ name })),
      count: names.length,
      total,
      totals,
      ...(groups && filter === '' && { groups }),
      ...(found.loose && { loose: true }),
      ...(found.noSuchKind && always.length === 0 && { no_such_kind: found.noSuchKind }),
      ...(always.length > 0 && { always }),
      ...(found.nearest?.length && { nearest: found.nearest }),
      ...(more && { next_cursor: cursorFor(filter, end) }),
    };
  }

  /**
   * The probes whose names are nearest to one that doesn't exist, best first: the same event of another
   * provider, other forms of its words, or a slip of the pen. Empty when nothing is near or none can be listed.
   * @param name with or without its provider
   */
  async nearest(name: string, limit: number): Promise<string[]> {
    try {
      const meaning = meaningOf(name.includes(':') ? name : `*${name}*`);
      if (meaning.kind === 'type') return [];
      const request = { kind: 'nearest' as const, source: this.sourceOf(meaning), name, limit };
      const names = await this.inTime(this.thread.ask<'nearest'>(request));
      return 'failed' in names ? [] : names;
    } catch {
      return [];
    }
  }

  /**
   * The probes that one attach point of a program stands for, wildcards included.
   * @param pattern such as `kprobe:tcp_*`
   * @param limit names given at most; `total` counts all
   * @throws Refusal as {@link find}
   */
  async expand(pattern: string, limit: number): Promise<{ names: string[]; total: number }> {
    const meaning = meaningOf(pattern);
    if (meaning.kind === 'type') return { names: [], total: 0 };
    const filter: ProbeFilter =
      meaning.filter.kind === 'words' ? { kind: 'pattern', rest: meaning.filter.text } : meaning.filter;
    const { names, total } = await this.search(this.sourceOf(meaning), filter, limit);
    return { names, total };
  }

  /** @throws Refusal as {@link find} */
  async countMatching(pattern: string): Promise<number> {
    return (await this.expand(pattern, 0)).total;
  }

  private sourceOf(meaning: Exclude<FilterMeaning, { kind: 'type' }>): ProbeSource {
    return meaning.kind === 'binary'
      ? binarySource(this.host, meaning.provider, meaning.path)
      : kernelSource(this.host);
  }

  private async search(
    source: ProbeSource,
    filter: ProbeFilter,
    limit: number,
    start?: PageStart,
  ): Promise<FoundProbes> {
    const found = await this.inTime(
      this.thread.ask<'find'>({ kind: 'find', source, filter, limit, ...(start && { start }) }),
    );
    if (!('failed' in found)) {
      if (found.total === 0 && source.missing !== undefined) throw noFile(source.missing);
      return found;
    }
    if (source.key === 'kernel') throw cannotList(found);
    throw new Refusal(
      'invalid_argument',
      `bpftrace finds no probes there: ${reasonOf(found)}`,
      'name a binary and a function or pattern, such as uprobe:/usr/bin/bash:*read*',
    );
  }

  private async detailed(names: readonly string[]): Promise<ProbePage['probes']> {
    const known = await this.inTime(this.thread.ask<'fields'>({ kind: 'fields', names: [...names] }));
    const unknown = names.filter(name => known[name] === undefined && LISTABLE.test(name));
    const listed = await this.listedFields(unknown);
    return withinRoom(names.map(name => ({ name, fields: known[name] ?? listed[name] ?? [] })));
  }

  /** All in one run of bpftrace; where it can't tell one of them, each in its own. */
  private async listedFields(names: readonly string[]): Promise<FieldsByName> {
    if (names.length === 0) return {};
    const ask = (some: readonly string[]): Promise<FieldsByName> => {
      const spawn = this.host.plan(['-lv', some.join(',')]);
      return this.inTime(this.thread.ask<'listed_fields'>({ kind: 'listed_fields', spawn }));
    };
    const together = await ask(names);
    if (names.length === 1 || names.every(name => together[name])) return together;
    const alone = await Promise.all(names.map(name => ask([name])));
    return Object.assign({}, ...alone);
  }

  private async definition(
    filter: string,
    { type, members }: Extract<FilterMeaning, { kind: 'type' }>,
    limit: number,
    start?: PageStart,
  ): Promise<ProbePage> {
    const several = type.includes('*');
    const spawn = this.host.plan([several ? '-l' : '-lv', type]);
    const { lines, nearest } = await this.inTime(
      this.thread.ask<'type'>({ kind: 'type', name: type, spawn }),
    );
    const definition = several ? lines.sort() : linesOf(lines, members);
    return {
      ...definitionPage(filter, definition, limit, start),
      ...(nearest.length > 0 && { nearest }),
    };
  }

  private async inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new Refusal(
              'busy',
              `bpftrace is still listing this host's probes after ${this.patienceMs / 1000} s`,
              'call again in half a minute: the list goes on being made, and is kept',
            ),
          ),
        this.patienceMs,
      );
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function noFile(path: string): Refusal {
  return new Refusal(
    'invalid_argument',
    `there is no file ${path}`,
    'name a binary or a shared library by its absolute path, such as uprobe:/usr/bin/bash:*read*',
  );
}

function reasonOf({ failed }: AskFailure): string {
  return headline(diagnose(failed.stderr)) ?? `exit status ${failed.status}, and it does not say why`;
}

function cannotList(failure: AskFailure): Refusal {
  return new Refusal(
    'internal',
    `bpftrace lists no probes: ${reasonOf(failure)}`,
    'call bpf_info to see what is missing on this host',
  );
}
