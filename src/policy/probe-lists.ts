import { realpathSync } from 'node:fs';
import type { AttachPoint } from '../bpftrace/language/outline.js';
import { canonicalProvider } from '../bpftrace/language/providers.js';
import { covers, type Glob, hasWildcard, intersects, parseGlob } from './glob.js';
import type { ProgramText, Rule, Violation } from './rule.js';

/** They attach to nothing of the host's. */
const HARMLESS: ReadonlySet<string> = new Set(['BEGIN', 'END', 'interval', 'self', 'bench', 'test']);
const WITH_MODULE: ReadonlySet<string> = new Set(['kprobe', 'kretprobe', 'fentry', 'fexit', 'rawtracepoint']);
const WITH_FILE: ReadonlySet<string> = new Set(['uprobe', 'uretprobe', 'usdt']);

/** `tracepoint:*, k:vfs_*` → canonical patterns. @throws Error for one that could match nothing */
export function parsePatterns(list: string): string[] {
  return list
    .split(',')
    .map(pattern => pattern.trim())
    .filter(Boolean)
    .map(pattern => {
      const [provider = '', ...rest] = pattern.split(':');
      const canonical = hasWildcard(provider) ? provider : canonicalProvider(provider);
      if (canonical === undefined)
        throw new Error(`${JSON.stringify(pattern)} does not begin with a probe type`);
      return [canonical, ...(rest.length === 0 && pattern !== '*' ? ['*'] : rest)].join(':');
    });
}

export function isPatternList(list: string): boolean {
  try {
    return parsePatterns(list).length > 0 || list === '';
  } catch {
    return false;
  }
}

/**
 * What the operator lists. A probe must lie wholly within an allowed pattern, and must not be able to match
 * anything that a denied one does.
 */
export function probeLists(allow: readonly string[], deny: readonly string[]): Rule {
  const allowed = allow.map(parseGlob);
  const denied = deny.map(parseGlob);
  return function* ({ outline }: ProgramText): Iterable<Violation> {
    for (const point of outline.probes.flatMap(({ attachPoints }) => attachPoints)) {
      const problem = judge(point, allowed, denied);
      if (!problem) continue;
      yield {
        rule: 'probe_list',
        message: `${point.text} ${problem}`,
        allowed: [
          ...(allow.length > 0 ? [`only ${allow.join(', ')}`] : []),
          ...deny.map(pattern => `not ${pattern}`),
        ].join('; '),
        start: point.start,
      };
    }
  };
}

function judge(
  { parts, tokens }: AttachPoint,
  allowed: readonly Glob[],
  denied: readonly Glob[],
): string | undefined {
  const provider = canonicalProvider(parts[0] ?? '');
  if (!provider) return 'is of no probe type that this policy knows';
  if (HARMLESS.has(provider)) return undefined;
  if (tokens.some(({ kind, text }) => kind === 'positional' || (kind === 'string' && text.includes('\\')))) {
    return 'holds a parameter or an escape';
  }
  const forms = formsOf(provider, parts.slice(1));
  if (!forms) return 'names its target by an address, or by a path that is not there';
  if (denied.some(pattern => forms.widest.some(form => intersects(pattern, form))))
    return 'can match a probe that is denied here';
  if (allowed.length === 0) return undefined;
  return allowed.some(pattern => forms.exact.some(form => covers(pattern, form)))
    ? undefined
    : 'is not within the probes that are allowed here';
}

/**
 * The ways to write one attach point. A function may be named with its module or without, and with an offset; a
 * file by any path that leads to it.
 * - widest: together they match whatever it may attach to
 * - exact: each alone describes it, so one that is allowed is enough
 */
function formsOf(provider: string, rest: readonly string[]): { widest: Glob[]; exact: Glob[] } | undefined {
  const glob = (...parts: readonly string[]): Glob => parseGlob([provider, ...parts].join(':'));
  if (WITH_MODULE.has(provider)) {
    const name = (rest.at(-1) ?? '').replace(/\+\w+$/, '');
    if (/^\d/.test(name)) return undefined;
    const module = rest.length > 1 ? rest.slice(0, -1) : ['*'];
    return {
      widest: [glob(name), glob(...module, name)],
      exact: [glob(name), ...(rest.length > 1 ? [glob(...module, name)] : [])],
    };
  }
  if (WITH_FILE.has(provider)) {
    const path = realPath(rest[0] ?? '');
    const form = path === undefined ? undefined : glob(path, ...rest.slice(1));
    return form && { widest: [form], exact: [form] };
  }
  // A tracepoint's short form `sched_switch` has no category, and other types have one name only.
  return { widest: [glob(...rest)], exact: [glob(...rest)] };
}

function realPath(path: string): string | undefined {
  if (hasWildcard(path)) return '*';
  try {
    return path.startsWith('/') ? realpathSync(path) : undefined;
  } catch {
    return undefined;
  }
}
