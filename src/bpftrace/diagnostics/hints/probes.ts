import { longProvider } from '../../language/providers.js';
import { listHelpers } from '../../reference/index.js';
import { type Advice, type Adviser, versionText } from './advice.js';
import { ofAnotherVersion } from './names.js';
import { distance, nearest } from './nearest.js';
import { fullName, lacksProvider, pointOf, wordsOf } from './provider.js';

const NAMED_MAX = 3;
const OTHER_WORDS: Readonly<Record<string, string>> = {
  timer: 'interval',
  tick: 'interval',
  every: 'interval',
  sample: 'profile',
  cpu: 'profile',
  start: 'BEGIN',
  init: 'BEGIN',
  begin: 'BEGIN',
  end: 'END',
  exit: 'END',
  function: 'kprobe',
  fbt: 'kprobe',
  kernel: 'kprobe',
  user: 'uprobe',
  pid: 'uprobe',
  trace: 'tracepoint',
  event: 'tracepoint',
  raw_tracepoint: 'rawtracepoint',
  raw_tp: 'rawtracepoint',
  perf: 'hardware',
};

export const unknownProbeType: Adviser = async question => {
  const { host, version } = question;
  const point = pointOf(question);
  const name = point?.parts[0] ?? question.finding.subject ?? '';
  const types = listHelpers(version).filter(({ kind }) => kind === 'probe_type');
  const later = ofAnotherVersion(name, types, version);
  const lacking = later && (await lacksProvider(name, question));
  if (lacking) return lacking;
  if (later) return { ...later, hint: `${later.hint}${spelledEarlier(name)}` };
  const rest = point?.text.slice(name.length) ?? '';
  const replaced = async (provider: string): Promise<Advice> => {
    const whole = `${provider}${rest}`;
    const none = await lacksProvider(provider, question);
    if (none) return { hint: `did you mean ${provider}? But ${none.hint}` };
    return { hint: `did you mean ${whole}?`, ...(point && { replacement: whole }) };
  };
  if (name === 'self')
    return { code: 'version', hint: `self:signal came with bpftrace 0.22, ${versionText(version)}` };
  const exact = types.find(each => each.name.toLowerCase() === name.toLowerCase());
  if (exact?.name === name) return { hint: `this bpftrace was built without ${name}` };
  if (exact) return replaced(exact.name);
  if (name === 'syscall' || name === 'syscalls') {
    const call = (point?.parts[1] ?? '').replace(/^(?:sys_)?(?:enter|exit)_/, '');
    const side = /exit|return/.test(point?.text ?? '') ? 'exit' : 'enter';
    const whole = `tracepoint:syscalls:sys_${side}_${call}`;
    if ((await host.countProbes(whole)) === 1) return { hint: `did you mean ${whole}?`, replacement: whole };
  }
  const here = types.filter(({ available }) => available !== 'no').map(each => each.name);
  const meant = OTHER_WORDS[name.toLowerCase()] ?? nearest(name, here, 1)[0];
  if (meant !== undefined) return replaced(meant);
  // `sched:sched_switch`, without its provider.
  const [probe] = rest === '' ? [] : await host.nearestProbes(point?.text ?? name, 1);
  if (probe?.endsWith(`:${point?.text}`)) return { hint: `did you mean ${probe}?`, replacement: probe };
  return { hint: `probe types are ${here.slice(0, 12).join(', ')}` };
};

function spelledEarlier(name: string): string {
  const earlier: Record<string, string> = { fentry: 'kfunc', fexit: 'kretfunc', rawtracepoint: 'tracepoint' };
  return earlier[name] ? `; use ${earlier[name]}` : '';
}

export const unknownProbe: Adviser = async question => {
  const point = pointOf(question);
  if (!point) {
    return { hint: 'none of its patterns matches a probe here: list_probes finds those that there are' };
  }
  const [provider = ''] = point.parts;
  const lacking = await lacksProvider(provider, question);
  if (lacking) return lacking;
  const wild = point.text.includes('*');
  const name = wild ? point.text.replace(/\*/g, '') : fullName(point);
  if (provider === 'self') return { hint: 'the signal is SIGUSR1: self:signal:SIGUSR1' };
  if (/^(?:u(?:ret)?probe|ur?|usdt|U|iter|it)$/.test(provider)) {
    return {
      hint: `list_probes "${[longProvider(provider), ...point.parts.slice(1, -1), '*'].join(':')}" lists those that there are`,
    };
  }
  const events = PERF_EVENTS[longProvider(provider)];
  if (events) {
    const [event] = nearest(point.parts[1] ?? '', events, 1);
    const whole = [provider, event, ...point.parts.slice(2)].join(':');
    return event === undefined
      ? { hint: `events are ${events.join(', ')}` }
      : { hint: `did you mean ${whole}?`, replacement: whole };
  }
  const near = await question.host.nearestProbes(name, NAMED_MAX);
  const found = near.length > 0 ? near : await question.host.probesAbout(wordsOf(point), NAMED_MAX);
  if (found.length === 0) {
    return {
      hint: `${wild ? 'nothing matches it' : 'there is none of that name'}: list_probes finds those that there are`,
    };
  }
  const [best = ''] = found;
  const sure = !wild && near.length > 0 && isSlip(name, best);
  return {
    hint: `did you mean ${found.join(' or ')}?`,
    ...(sure && { replacement: best }),
  };
};

const PERF_EVENTS: Readonly<Record<string, readonly string[]>> = {
  software: [
    ...['cpu-clock', 'task-clock', 'page-faults', 'faults', 'context-switches', 'cpu-migrations'],
    ...['minor-faults', 'major-faults', 'alignment-faults', 'emulation-faults', 'bpf-output'],
  ],
  hardware: [
    ...['cpu-cycles', 'instructions', 'cache-references', 'cache-misses', 'branch-instructions'],
    ...['branch-misses', 'bus-cycles', 'frontend-stalls', 'backend-stalls', 'ref-cycles'],
  ],
};

/** Whether one is the other with a slip of the pen, or with its prefix left out. */
function isSlip(name: string, probe: string): boolean {
  const event = name.slice(name.lastIndexOf(':') + 1);
  return distance(name, probe) <= 2 || probe.endsWith(`_${event}`);
}
