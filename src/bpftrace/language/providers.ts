/** Probe types by every name that bpftrace has for them; `kfunc` became `fentry` in 0.20, `BEGIN` may be small since 0.24. */
const NAMES: Readonly<Record<string, string>> = {
  BEGIN: 'BEGIN',
  begin: 'BEGIN',
  END: 'END',
  end: 'END',
  tracepoint: 'tracepoint',
  t: 'tracepoint',
  rawtracepoint: 'rawtracepoint',
  rt: 'rawtracepoint',
  kprobe: 'kprobe',
  k: 'kprobe',
  kretprobe: 'kretprobe',
  kr: 'kretprobe',
  fentry: 'fentry',
  kfunc: 'fentry',
  f: 'fentry',
  fexit: 'fexit',
  kretfunc: 'fexit',
  fr: 'fexit',
  uprobe: 'uprobe',
  u: 'uprobe',
  uretprobe: 'uretprobe',
  ur: 'uretprobe',
  usdt: 'usdt',
  U: 'usdt',
  profile: 'profile',
  p: 'profile',
  interval: 'interval',
  i: 'interval',
  software: 'software',
  s: 'software',
  hardware: 'hardware',
  h: 'hardware',
  iter: 'iter',
  it: 'iter',
  watchpoint: 'watchpoint',
  w: 'watchpoint',
  asyncwatchpoint: 'asyncwatchpoint',
  aw: 'asyncwatchpoint',
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
