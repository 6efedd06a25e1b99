/**
 * What a filter of `list_probes` means. bpftrace's own patterns first (`tracepoint:syscalls:*open*`, with the
 * short provider names); a pattern without a provider matches behind any of them (`syscalls:*open*`, which
 * bpftrace itself understands from 0.27 on); anything without a `*` or `:` is words that must all occur.
 */
const SHORT_PROVIDERS: Record<string, string> = {
  t: 'tracepoint',
  rt: 'rawtracepoint',
  k: 'kprobe',
  kr: 'kretprobe',
  f: 'fentry',
  fr: 'fexit',
  h: 'hardware',
  s: 'software',
  it: 'iter',
};

export function matcherOf(filter: string): (probe: string) => boolean {
  if (filter === '') return () => true;
  if (!/[*:]/.test(filter)) {
    const words = filter.toLowerCase().split(/\s+/);
    return probe => words.every(word => probe.toLowerCase().includes(word));
  }
  const [head = '', ...rest] = filter.split(':');
  const provider = rest.length > 0 ? (SHORT_PROVIDERS[head] ?? head) : head;
  const whole = [provider, ...rest].join(':');
  const exact = glob(whole);
  const behindProvider = glob(`*:${filter}`);
  return probe => exact.test(probe) || behindProvider.test(probe);
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/\*+/g, '*')
    .split('*')
    .map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`);
}
