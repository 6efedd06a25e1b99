import { positionOf } from '../bpftrace/language/token.js';
import { Refusal } from '../contract/errors.js';
import { BINARY_ALLOWED, judgeBinary } from './binary.js';
import { parsePatterns, probeLists } from './probe-lists.js';
import { type Rule, readProgram, type Violation } from './rule.js';
import { cText } from './rules/c-text.js';
import { functions } from './rules/functions.js';
import { limits } from './rules/limits.js';
import { loops } from './rules/loops.js';
import { probes } from './rules/probes.js';
import { scopeRule } from './rules/scope.js';
import { confine } from './scope/confine.js';
import { Scope, type ScopeDescription } from './scope/scope.js';

/**
 * What programs may do, chosen by the operator at start. From the narrowest to the widest:
 *
 *   observe  bpftrace's safe mode; no file that not every user of the host could read, no limit raised
 *   full     all of bpftrace's safe mode
 *   unsafe   bpftrace --unsafe
 */
export const PROFILES = ['observe', 'full', 'unsafe'] as const;
export type Profile = (typeof PROFILES)[number];

const MEANING: Readonly<Record<Profile, string>> = {
  observe:
    "bpftrace's safe mode, without files that not every user of the host can read (cat, #include, import, binaries), without raised limits",
  full: "all of bpftrace's safe mode; a program can read every file that root can",
  unsafe: 'whatever root can do, system() included',
};
const OBSERVE_RULES: readonly Rule[] = [cText, functions, probes, limits, loops];
/** Told of one program; the rest is left for the next try. */
const VIOLATIONS_SHOWN = 3;

interface PolicyDescription {
  profile: Profile;
  meaning: string;
  allow_probes?: string[];
  deny_probes?: string[];
  scope?: ScopeDescription;
}

/** The operator's lists, as they stand in the configuration. */
interface Lists {
  /** Patterns of probes, parted by commas; empty: all. */
  allowProbes?: string;
  /** Likewise; empty: none. */
  denyProbes?: string;
  /** Whose events programs may report; both empty: everybody's. */
  scopePids?: string;
  scopeCgroups?: string;
}

export class Policy {
  private readonly rules: readonly Rule[];
  private readonly allow: readonly string[];
  private readonly deny: readonly string[];
  private readonly scope: Scope | undefined;

  constructor(
    readonly profile: Profile,
    private readonly lists: Lists = {},
  ) {
    const { allowProbes = '', denyProbes = '', scopePids = '', scopeCgroups = '' } = lists;
    this.allow = parsePatterns(allowProbes);
    this.deny = parsePatterns(denyProbes);
    const scope = new Scope(scopePids, scopeCgroups);
    this.scope = scope.isEmpty ? undefined : scope;
    this.rules = [
      ...(profile === 'observe' ? OBSERVE_RULES : []),
      ...(this.allow.length + this.deny.length > 0 ? [probeLists(this.allow, this.deny)] : []),
      ...(this.scope ? [scopeRule(this.scope)] : []),
    ];
  }

  /** The same lists of probes, and the narrower one of its profile and another. */
  atMost(profile: Profile): Policy {
    if (PROFILES.indexOf(profile) >= PROFILES.indexOf(this.profile)) return this;
    return new Policy(profile, this.lists);
  }

  /** It depends on more than its profile. */
  get hasLists(): boolean {
    return this.allow.length + this.deny.length > 0 || this.scope !== undefined;
  }

  get description(): PolicyDescription {
    return {
      profile: this.profile,
      meaning: MEANING[this.profile],
      ...(this.allow.length > 0 && { allow_probes: [...this.allow] }),
      ...(this.deny.length > 0 && { deny_probes: [...this.deny] }),
      ...(this.scope && { scope: this.scope.description }),
    };
  }

  /** In the order of the program's text; empty: it may run. */
  judge(program: string): Violation[] {
    if (this.rules.length === 0) return [];
    const read = readProgram(program, { isStrict: this.scope !== undefined });
    if (read === 'hopeless') return [];
    if ('rule' in read) return [read];
    return this.rules.flatMap(rule => [...rule(read)]).sort((one, other) => one.start - other.start);
  }

  /**
   * A program that this server proposes: as it may run here, with the operator's scope written into it; or why
   * it may not.
   */
  propose(program: string): { program: string } | { denied: string } {
    const confined = this.scope ? confine(program, this.scope) : program;
    const [violation] = this.judge(confined);
    return violation ? { denied: `${violation.message} (rule ${violation.rule})` } : { program: confined };
  }

  /** Whose functions may be listed. @throws Refusal `policy_denied` */
  requireBinary(path: string): void {
    const problem = this.profile === 'observe' ? judgeBinary(path) : undefined;
    if (!problem) return;
    throw new Refusal(
      'policy_denied',
      `${JSON.stringify(path)}: ${problem} (rule binary). The operator's policy is ${this.profile}`,
      `allowed is: ${BINARY_ALLOWED}`,
      { rule: 'binary', policy: this.profile },
    );
  }

  /** @throws Refusal `policy_denied` */
  require(program: string): void {
    const violations = this.judge(program);
    const [first] = violations;
    if (!first) return;
    const { line, column } = positionOf(program, first.start);
    const shown = violations.slice(0, VIOLATIONS_SHOWN).map(violation => told(program, violation));
    const more = violations.length - shown.length;
    throw new Refusal(
      'policy_denied',
      `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}. The operator's policy is ${this.profile}`,
      `allowed is: ${first.allowed}. Change the program, or ask the operator, who alone can change that`,
      { rule: first.rule, line, column, policy: this.profile },
    );
  }
}

function told(program: string, { rule, message, start }: Violation): string {
  const { line, column } = positionOf(program, start);
  return `${line}:${column} ${message} (rule ${rule})`;
}
