import type { AttachPoint } from '../../language/outline.js';
import { longProvider } from '../../language/providers.js';
import { listHelpers } from '../../reference/index.js';
import type { Advice, Adviser } from './advice.js';
import { fullName, pointOf } from './provider.js';

const NAMED_MAX = 3;

export const probeSyntax: Adviser = question => {
  const { finding, version } = question;
  const point = pointOf(question);
  const written = point?.parts[0] ?? '';
  const provider = longProvider(written);
  if (/More than one (BEGIN|END)/.test(finding.message)) return { hint: 'put both into one block' };
  if (/child command/.test(finding.message) || /-p PID or -c CMD/.test(finding.message)) {
    return { hint: 'a watchpoint on a process needs -p, which only the operator can give' };
  }
  if (provider === 'interval' || provider === 'profile') return { ...clockHint(provider, point) };
  const type = listHelpers(version).find(each => each.kind === 'probe_type' && each.name === provider);
  if (!type) return { hint: 'name one kind of probe, such as tracepoint:syscalls:*' };
  if (/wildcard/.test(finding.message)) return { hint: `name one: ${type.signature}` };
  return { hint: `the form is ${type.signature}` };
};

const UNITS: Readonly<Record<string, string>> = {
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  msec: 'ms',
  millisecond: 'ms',
  milliseconds: 'ms',
  usec: 'us',
  microseconds: 'us',
  hertz: 'hz',
  Hz: 'hz',
  HZ: 'hz',
};

function clockHint(provider: string, point: AttachPoint | undefined): Advice {
  const [, first = '', second = ''] = point?.parts ?? [];
  const form = provider === 'interval' ? 'interval:s:1 or interval:ms:100' : 'profile:hz:99 or profile:ms:10';
  const joined = /^(\d+)(us|ms|s|hz)$/.exec(first);
  const unit = UNITS[first];
  const meant = joined
    ? `${provider}:${joined[2]}:${joined[1]}`
    : unit && /^[1-9]\d*$/.test(second)
      ? `${provider}:${unit}:${second}`
      : /^[1-9]\d*$/.test(first) && second === ''
        ? `${provider}:${provider === 'profile' ? 'hz' : 's'}:${first}`
        : undefined;
  return meant === undefined
    ? { hint: `the form is ${form}; the number is whole and above 0` }
    : { hint: `did you mean ${meant}?`, replacement: meant };
}

export const missingSymbol: Adviser = async question => {
  const { finding, host } = question;
  const point = pointOf(question);
  if (point && /^u(?:ret)?probe$|^ur?$/.test(point.parts[0] ?? '')) {
    if (/^0x|^\d/.test(point.parts.at(-1) ?? '')) {
      return { hint: 'no symbol stands at that address: name a function' };
    }
    if (/size is 0/.test(finding.message)) {
      return {
        hint: `it only uses that function: name the library that has it, such as ${point.parts[0]}:libc:${point.parts[2]}`,
      };
    }
    const near = await host.nearestProbes(fullName(point), NAMED_MAX);
    const [best] = near;
    if (best !== undefined) return { hint: `did you mean ${near.join(' or ')}?`, replacement: best };
    return { hint: `list_probes "uprobe:${point.parts[1]}:*" lists its functions` };
  }
  if (/kernel symbol/.test(finding.message)) return { hint: 'kaddr() knows the names in /proc/kallsyms' };
  if (/uaddr/.test(question.text.slice(finding.range ?? { start: 0, end: 0 }))) {
    return { hint: 'uaddr() knows the symbols of the binary that its own probe is in' };
  }
  return undefined;
};

export const missingFile: Adviser = question => {
  const point = pointOf(question);
  const file = point?.parts[1] ?? question.finding.subject ?? '';
  if (point && !file.includes('/'))
    return { hint: 'give the path of the binary or library, such as /usr/bin/bash' };
  if (point)
    return {
      hint: 'give the absolute path of an executable or library, as this host (not a container) has it',
    };
  if (/cgroup/.test(question.finding.message))
    return { hint: 'give the path of a cgroup below /sys/fs/cgroup' };
  return undefined;
};

export const tooManyProbes: Adviser = ({ finding }) => {
  const [, limit] = /current limit of (\d+)/.exec(finding.message) ?? [];
  const most = limit === undefined ? '' : ` to ${limit} probes at most`;
  return {
    hint: `narrow the pattern${most}, such as tracepoint:syscalls:sys_enter_*; only the operator can raise the limit (--max-probes)`,
  };
};
