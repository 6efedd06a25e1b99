import type {
  AskFailure,
  FoundProbes,
  ProbeFilter,
  ProbeReplies,
  ProbeRequest,
} from '../../src/contract/probes.js';
import { kernelBtf } from './btf.js';
import { findByPattern, hasKind } from './by-pattern.js';
import { findByWords, guessByWords } from './by-words.js';
import { fieldsByBpftrace, fieldsByKernel } from './fields.js';
import { listOf } from './lists.js';
import { type Matches, pageOf } from './matches.js';
import { nearestNames, nearestTo } from './nearest.js';
import type { ProbeList } from './probe-list.js';
import { run } from './run.js';

/**
 * The task of the thread that holds the probe lists: one question, one answer. Questions share the thread, and
 * with it the lists; those that wait for a bpftrace wait side by side.
 */

// A thread's standard output is the process's, which carries the protocol: nothing may ever reach it.
process.stdout.write = process.stderr.write.bind(process.stderr);

const NEAREST_SHOWN = 5;

export default async function answer(request: ProbeRequest): Promise<ProbeReplies[ProbeRequest['kind']]> {
  switch (request.kind) {
    case 'find':
      return find(request);
    case 'nearest': {
      const kept = await listOf(request.source);
      return 'failed' in kept ? kept : nearestTo(kept.list, request.name, request.limit);
    }
    case 'fields':
      return fieldsByKernel(request.names);
    case 'listed_fields':
      return fieldsByBpftrace(request.spawn);
    case 'type': {
      const lines = (await run(request.spawn)).stdout.split('\n').filter(line => line !== '');
      return { lines, nearest: lines.length > 0 ? [] : typesLike(request.name) };
    }
  }
}

async function find(request: Extract<ProbeRequest, { kind: 'find' }>): Promise<FoundProbes | AskFailure> {
  const kept = await listOf(request.source);
  if ('failed' in kept) return kept;
  const { list, generation } = kept;
  const { filter, limit, start } = request;
  const matches = matchesOf(list, generation, filter);
  const page = pageOf(list, matches, { limit, start, generation });
  if (matches.ids.length > 0) {
    // Some word has a slip of the pen, it may be.
    return page.loose ? { ...page, nearest: nearestMatches(list, filter) } : page;
  }
  const kind = filter.kind === 'pattern' ? filter.provider : undefined;
  return {
    ...page,
    nearest: nearestMatches(list, filter),
    ...(kind !== undefined && !hasKind(list, kind) && { noSuchKind: kind }),
  };
}

/** The last few questions' matches, so that the next page need not look again. */
const KEPT_MATCHES = 16;
const keptMatches = new Map<string, Matches>();

function matchesOf(list: ProbeList, generation: number, filter: ProbeFilter): Matches {
  const key = JSON.stringify([generation, filter]);
  const kept = keptMatches.get(key);
  if (kept) return kept;
  const made: Matches =
    filter.kind === 'pattern'
      ? { sorted: true, ...findByPattern(list, filter) }
      : { sorted: false, ...findByWords(list, filter.text) };
  keptMatches.set(key, made);
  if (keptMatches.size > KEPT_MATCHES) keptMatches.delete(keptMatches.keys().next().value ?? '');
  return made;
}

function typesLike(name: string): string[] {
  const [keyword = ''] = name.split(' ');
  return nearestNames(name, kernelBtf()?.typeNames(keyword) ?? []).slice(0, NEAREST_SHOWN);
}

function nearestMatches(list: ProbeList, filter: ProbeFilter): string[] {
  if (filter.kind === 'words') return guessByWords(list, filter.text, NEAREST_SHOWN);
  const { provider = '', rest } = filter;
  return nearestTo(list, `${provider}:${rest}`, NEAREST_SHOWN);
}
