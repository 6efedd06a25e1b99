/** Probe types by their short names. */
const SHORT: Readonly<Record<string, string>> = {
  t: 'tracepoint',
  rt: 'rawtracepoint',
  k: 'kprobe',
  kr: 'kretprobe',
  f: 'fentry',
  fr: 'fexit',
  u: 'uprobe',
  ur: 'uretprobe',
  U: 'usdt',
  p: 'profile',
  i: 'interval',
  s: 'software',
  h: 'hardware',
  it: 'iter',
  w: 'watchpoint',
  aw: 'asyncwatchpoint',
};

/** Probe types that have a short name, by their long one. */
export const SHORTENED_PROVIDERS: readonly string[] = Object.values(SHORT);

/** Probe types by every name that bpftrace has for them; `kfunc` became `fentry` in 0.20, `BEGIN` may be small since 0.24. */
const NAMES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SHORTENED_PROVIDERS.map(name => [name, name])),
  ...SHORT,
  kfunc: 'fentry',
  kretfunc: 'fexit',
  BEGIN: 'BEGIN',
  begin: 'BEGIN',
  END: 'END',
  end: 'END',
  self: 'self',
  bench: 'bench',
  BENCH: 'bench',
  test: 'test',
  TEST: 'test',
};

/** The canonical ones. */
export const PROVIDERS: ReadonlySet<string> = new Set(Object.values(NAMES));

/** `k` → `kprobe`; undefined for what is no probe type. */
export function canonicalProvider(name: string): string | undefined {
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

/** `k` → `kprobe`; any other text stays as it is, `kfunc` too. */
export function longProvider(name: string): string {
  return Object.hasOwn(SHORT, name) ? (SHORT[name] ?? name) : name;
}
