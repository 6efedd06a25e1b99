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
  const allowed = allow.map(toPattern);
  const denied = deny.map(toPattern);
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

interface Pattern {
  glob: Glob;
  /** It names a function's module as well. */
  hasModule: boolean;
}

function toPattern(text: string): Pattern {
  return { glob: parseGlob(text), hasModule: text.split(':').length > 2 };
}

function judge(
  { parts, tokens }: AttachPoint,
  allowed: readonly Pattern[],
  denied: readonly Pattern[],
): string | undefined {
  const [type = '', ...rest] = parts;
  const provider = canonicalProvider(type);
  if (!provider) return 'is of no probe type that this policy knows';
  if (HARMLESS.has(provider)) return undefined;
  const hides = WITH_FILE.has(provider) ? /\\/ : /[\\:]/;
  if (tokens.some(({ kind, text }) => kind === 'positional' || (kind === 'string' && hides.test(text)))) {
    return 'holds a parameter, an escape or a quoted colon';
  }
  const forms = formsOf(provider, rest);
  if (!forms) return 'names its target by an address, or by a path that is not there';
  const { plain, withModule, widest } = forms;
  if (denied.some(({ glob, hasModule }) => intersects(glob, hasModule ? widest : plain)))
    return 'can match a probe that is denied here';
  const isWithin = ({ glob, hasModule }: Pattern): boolean => {
    const form = hasModule ? withModule : plain;
    return form !== undefined && covers(glob, form);
  };
  return allowed.length === 0 || allowed.some(isWithin)
    ? undefined
    : 'is not within the probes that are allowed here';
}

interface Forms {
  /** Without module and offset; a file by its real path. */
  plain: Glob;
  /** With its module, where it names one; as it stands, where its type knows no modules. */
  withModule?: Glob;
  /** With its module, or with any. */
  widest: Glob;
}

/** The ways to write one attach point. */
function formsOf(provider: string, rest: readonly string[]): Forms | undefined {
  const glob = (...parts: readonly string[]): Glob => parseGlob([provider, ...parts].join(':'));
  if (WITH_MODULE.has(provider)) {
    const name = (rest.at(-1) ?? '').replace(/\+\w+$/, '');
    if (/^\d/.test(name)) return undefined;
    const module = rest.slice(0, -1);
    if (module.length === 0) return { plain: glob(name), widest: glob('*', name) };
    const withModule = glob(...module, name);
    return { plain: glob(name), withModule, widest: withModule };
  }
  const path = WITH_FILE.has(provider) ? realPath(rest[0] ?? '') : rest[0];
  if (path === undefined) return undefined;
  const form = glob(path, ...rest.slice(1));
  return { plain: form, withModule: form, widest: form };
}

function realPath(path: string): string | undefined {
  if (hasWildcard(path)) return '*';
  try {
    return path.startsWith('/') ? realpathSync(path) : undefined;
  } catch {
    return undefined;
  }
}
