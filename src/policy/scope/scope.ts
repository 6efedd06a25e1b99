import { holdsProcesses, idOf, isControlGroup, isPlainPath, withThoseBelow } from './control-groups.js';
import {
  isInFirstPidNamespace,
  isStillThere,
  type KnownProcess,
  knownProcess,
  processOf,
} from './processes.js';

/**
 * Whose events programs may report: some processes, and those in some control groups, chosen by the operator.
 * A program is not rewritten. It has to say so itself, in the predicate of each probe, and that is checked.
 */

/** Of each kind: a predicate that names them all is still one that the kernel's verifier takes. */
const ENTRIES_MAX = 32;
/** Groups that a predicate to copy names. */
const GROUPS_NAMED_MAX = 8;
const PID_MAX = 4_194_304;

export interface ScopeDescription {
  pids?: number[];
  /** Of those, which are gone: their numbers may be others' by now, so no program may name them. */
  pids_gone?: number[];
  cgroups?: string[];
  /** What each probe's predicate may begin with. */
  predicate: string;
}

/** What is wrong with a list of pids; undefined: nothing. Looks at this host. */
export function problemOfPids(list: string): string | undefined {
  const texts = entriesOf(list);
  if (texts.length > ENTRIES_MAX) return `must be at most ${ENTRIES_MAX} pids`;
  for (const text of texts) {
    const pid = Number(text);
    if (!/^[1-9]\d*$/.test(text) || pid > PID_MAX) return 'must be pids, parted by commas';
    const owner = processOf(pid);
    if (owner === undefined) return `must be pids of processes that are there: there is no ${pid}`;
    if (owner !== pid) return `must be pids of processes: ${pid} is a thread of ${owner}`;
  }
  if (texts.length > 0 && !isInFirstPidNamespace())
    return 'can only be kept in the first pid namespace, since bpftrace may number processes differently from here; take --scope-cgroups';
  return undefined;
}

/** Likewise, of paths of control groups. */
export function problemOfCgroups(list: string): string | undefined {
  const paths = entriesOf(list);
  if (paths.length > ENTRIES_MAX) return `must be at most ${ENTRIES_MAX} paths`;
  const bad = paths.find(path => !isPlainPath(path));
  if (bad !== undefined)
    return `must be absolute paths of letters, digits and ._@:-, parted by commas: not ${JSON.stringify(bad)}`;
  const missing = paths.find(path => !isControlGroup(path));
  if (missing !== undefined)
    return `must be folders of control groups of version 2 (mount -t cgroup2 shows where they are): ${missing} is none`;
  return undefined;
}

export class Scope {
  private readonly processes: readonly KnownProcess[];
  private readonly groups: readonly string[];

  /** @param pids parted by commas; what is not there any more is gone from the beginning */
  constructor(pids: string, cgroups: string) {
    this.processes = entriesOf(pids).map(
      pid => knownProcess(Number(pid)) ?? { pid: Number(pid), startedAt: '' },
    );
    this.groups = entriesOf(cgroups);
  }

  get isEmpty(): boolean {
    return this.processes.length + this.groups.length === 0;
  }

  get description(): ScopeDescription {
    const gone = this.processes.filter(one => !isStillThere(one)).map(({ pid }) => pid);
    return {
      ...(this.processes.length > 0 && { pids: this.processes.map(({ pid }) => pid) }),
      ...(gone.length > 0 && { pids_gone: gone }),
      ...(this.groups.length > 0 && { cgroups: [...this.groups] }),
      predicate: this.predicate,
    };
  }

  /** What confines a probe to all of it: `pid == 42`, or several in parentheses; empty when everybody is gone. */
  get predicate(): string {
    const pids = this.processes.filter(isStillThere).map(({ pid }) => `pid == ${pid}`);
    const all = [...pids, ...this.groupsToName().map(path => `cgroup == cgroupid("${path}")`)];
    return all.length > 1 ? `(${all.join(' || ')})` : (all[0] ?? '');
  }

  /** @returns why it is outside; undefined: it is within */
  problemOfPid(pid: string): string | undefined {
    const known = this.processes.find(one => String(one.pid) === pid);
    if (!known) return `pid ${pid} is not in the operator's scope`;
    return isStillThere(known)
      ? undefined
      : `process ${pid} is gone, and its number may be that of another process by now`;
  }

  /** A group of the scope, or one below; as it stands in `cgroupid("…")`. */
  hasGroup(path: string): boolean {
    return isPlainPath(path) && this.groups.some(group => path === group || path.startsWith(`${group}/`));
  }

  hasGroupId(id: string): boolean {
    return this.groups.some(group => [...withThoseBelow(group)].some(path => idOf(path) === id));
  }

  /** Those with processes of their own, since a predicate means a group itself and none below. */
  private groupsToName(): string[] {
    const named = this.groups.flatMap(group => {
      const populated = [...withThoseBelow(group)].filter(holdsProcesses);
      return populated.length > 0 ? populated : [group];
    });
    return [...new Set(named)].slice(0, GROUPS_NAMED_MAX);
  }
}

function entriesOf(list: string): string[] {
  return list
    .split(',')
    .map(entry => entry.trim())
    .filter(Boolean);
}
