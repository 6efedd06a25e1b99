import type { AttachPoint } from '../../bpftrace/language/outline.js';
import { canonicalProvider, PROVIDERS } from '../../bpftrace/language/providers.js';
import { BINARY_ALLOWED, judgeBinary } from '../binary.js';
import { numberOf } from '../number.js';
import type { ProgramText, Violation } from '../rule.js';
import { suggestion } from '../suggestion.js';

/** Attach points written out; what their wildcards stand for is bounded by bpftrace's own max_probes. */
const ATTACH_POINTS_MAX = 512;
/** A timer's, on each processor. */
const RATE_MAX_HZ = 10_000;
/** Events of the processor between two samples; the kernel's own limits are far above. */
const HARDWARE_PERIOD_MIN = 10_000;
const CLOCK_PERIOD_MIN_NS = 1e9 / RATE_MAX_HZ;
const UNIT_HZ: Readonly<Record<string, number>> = {
  s: 1,
  ms: 1e3,
  us: 1e6,
  ns: 1e9,
  m: 1 / 60,
  h: 1 / 3600,
  d: 1 / 86_400,
};

export function* probes({ outline }: ProgramText): Iterable<Violation> {
  let count = 0;
  for (const { attachPoints } of outline.probes) {
    for (const point of attachPoints) {
      if (++count === ATTACH_POINTS_MAX + 1) {
        yield {
          rule: 'size',
          message: `more than ${ATTACH_POINTS_MAX} attach points`,
          allowed: 'fewer, or a wildcard',
          start: point.start,
        };
      }
      yield* judgePoint(point);
    }
  }
}

function* judgePoint(point: AttachPoint): Iterable<Violation> {
  const { tokens, parts, start } = point;
  const refused = (rule: Violation['rule'], message: string, allowed: string): Violation => ({
    rule,
    message,
    allowed,
    start,
  });
  const ambiguous = tokens.some(
    ({ kind, text }) => kind === 'positional' || (kind === 'string' && text.includes('\\')),
  );
  if (ambiguous) {
    yield refused(
      'probe_type',
      `${point.text} holds a parameter or an escape`,
      'an attach point that says what it attaches to',
    );
    return;
  }
  const provider = canonicalProvider(parts[0] ?? '');
  if (!provider) {
    yield refused(
      'probe_type',
      `${JSON.stringify(parts[0])} is no probe type that this policy knows`,
      `${suggestion(parts[0] ?? '', PROVIDERS)}or another of ${[...PROVIDERS].join(', ')} and their short forms`,
    );
    return;
  }
  if (provider === 'uprobe' || provider === 'uretprobe' || provider === 'usdt') {
    const problem = judgeBinary(parts[1] ?? '');
    if (problem) yield refused('binary', `${point.text}: ${problem}`, BINARY_ALLOWED);
  }
  if (provider === 'iter' && parts.length > 2)
    yield refused('pin', `${point.text} leaves a pinned object on the host`, 'iter:task');
  const rate = rateProblem(provider, parts);
  if (rate) yield refused('rate', `${point.text} ${rate.problem}`, rate.allowed);
}

function rateProblem(
  provider: string,
  parts: readonly string[],
): { problem: string; allowed: string } | undefined {
  if (provider === 'profile' || provider === 'interval') {
    const allowed = `up to ${RATE_MAX_HZ} a second, such as ${provider}:hz:99 or ${provider}:s:1`;
    const hz = rateOf(parts);
    if (hz === undefined) return { problem: 'has a rate that cannot be read', allowed };
    return hz > RATE_MAX_HZ ? { problem: `fires ${Math.round(hz)} times a second`, allowed } : undefined;
  }
  if (provider !== 'hardware' && provider !== 'software') return undefined;
  const [, event = '', text = ''] = parts;
  if (text === '') return undefined;
  const min =
    provider === 'hardware' ? HARDWARE_PERIOD_MIN : /clock|^cpu$/.test(event) ? CLOCK_PERIOD_MIN_NS : 1;
  const period = numberOf(text);
  if (period !== undefined && period >= min) return undefined;
  return {
    problem: 'samples too often',
    allowed: `a count from ${min}: ${provider}:${event}:${Math.max(min, 1)}`,
  };
}

/** Of `profile:hz:99`, `interval:s:1`, `interval:100ms`; a second. */
function rateOf(parts: readonly string[]): number | undefined {
  const [, unit = '', text] = parts;
  if (parts.length === 2) {
    const duration = /^(\d[\d_]*)(ns|us|ms|[smhd])$/.exec(unit);
    return duration ? rateOf(['', duration[2] ?? '', duration[1] ?? '']) : undefined;
  }
  const value = text === undefined || parts.length !== 3 ? undefined : numberOf(text);
  if (value === undefined || value <= 0) return undefined;
  if (unit === 'hz') return value;
  const perUnit = UNIT_HZ[unit];
  return perUnit === undefined ? undefined : perUnit / value;
}
