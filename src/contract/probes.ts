import type { SpawnPlan } from './trace.js';

/** What the main thread asks the thread that holds the probe lists, and what comes back. Plain data both ways. */

/** Where a list of probes comes from. The thread keeps the list until `identity` changes. */
export interface ProbeSource {
  /** `kernel`, or the provider and path of a binary. */
  key: string;
  /**
   * What the list depends on, as far as the asker knows it: which bpftrace, which version of the binary.
   * The thread adds the kernel modules that are loaded. Undefined: it can't be told, so the list is made anew
   * for every question.
   */
  identity: string | undefined;
  /** The path of a binary that this process can't see. bpftrace may: it can have another root. */
  missing?: string;
  /** Prints the list on standard output, one probe a line. */
  spawn: SpawnPlan;
}

/** bpftrace's own pattern: `*` for any characters, nothing else is special. */
export interface ProbePattern {
  kind: 'pattern';
  /** In full (`kprobe`, never `k`), without `*`; absent when any provider will do. */
  provider?: string;
  /** What stands behind the provider, or the whole pattern when there is none. */
  rest: string;
}

/** Words in any order, ranked by relevance. */
export interface ProbeWords {
  kind: 'words';
  text: string;
}

export type ProbeFilter = ProbePattern | ProbeWords;

/** Where a page begins. */
export interface PageStart {
  /** The last probe of the page before. */
  after: string;
  /** How many came before, and in which generation of the list. */
  offset: number;
  generation: number;
}

export type ProbeRequest =
  | { kind: 'find'; source: ProbeSource; filter: ProbeFilter; limit: number; start?: PageStart }
  | { kind: 'nearest'; source: ProbeSource; name: string; limit: number }
  | { kind: 'fields'; names: string[] }
  | { kind: 'listed_fields'; spawn: SpawnPlan }
  | { kind: 'type'; name: string; spawn: SpawnPlan };

export interface FoundProbes {
  names: string[];
  /** That match. */
  total: number;
  /** Of those that match, by provider, the largest first. */
  totals: Record<string, number>;
  /** Only where everything was asked for: the kernel's groups of tracepoints, the largest first. */
  groups?: Record<string, number>;
  /** How many of the matches came before the first of `names`. */
  offset: number;
  generation: number;
  /** No probe has all the words that were asked for: these have most of them. */
  loose?: true;
  /** The list has no probe of the pattern's provider. */
  noSuchKind?: string;
  /** Nothing matches: names that are near, best first. */
  nearest?: string[];
  /** A page was asked for whose place in this list can't be found any more. */
  lost?: true;
}

/** One argument of a probe. */
export interface ProbeField {
  name: string;
  /** How a program writes it, where that is not by its name: `arg0`. */
  access?: string;
  /** As C writes it, the name left out: `char[16]`. */
  type: string;
  /** What its numbers mean, by number as decimal digits; bits that may be combined where `flags` is true. */
  values?: Record<string, string>;
  /** Values that had no room in a reply about many probes. */
  values_left_out?: number;
  flags?: true;
}

/** By the probe's name; one of which nothing is known is absent. */
export type FieldsByName = Record<string, ProbeField[]>;

/** bpftrace could not tell. */
export interface AskFailure {
  failed: { stderr: string; status: number | null };
}

export interface ProbeReplies {
  find: FoundProbes | AskFailure;
  nearest: string[] | AskFailure;
  fields: FieldsByName;
  listed_fields: FieldsByName;
  /** Lines of the definition; when there are none, names that are near. */
  type: { lines: string[]; nearest: string[] };
}

/** What the thread is given when it starts. */
export interface ProbeThreadData {
  /** The recording that is replayed; empty: this host is looked at. */
  recording: string;
}

/** The thread, as the main thread sees it. */
export interface ProbeThread {
  /** @throws Error when the thread died over it */
  ask<Kind extends ProbeRequest['kind']>(
    request: Extract<ProbeRequest, { kind: Kind }>,
  ): Promise<ProbeReplies[Kind]>;
}
