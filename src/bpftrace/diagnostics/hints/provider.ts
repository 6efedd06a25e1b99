import type { AttachPoint } from '../../language/outline.js';
import { longProvider } from '../../language/providers.js';
import type { Advice, Question } from './advice.js';

const NAMED_MAX = 3;

/** The attach point that a finding is about. */
export function pointOf({ finding, text }: Question): AttachPoint | undefined {
  return finding.range && text.attachPointAt(finding.range);
}

/** What an attach point's name says, as words: `tracepoint:tcp:retransmit` is about tcp and retransmit. */
export function wordsOf(point: AttachPoint): string {
  const name = point.parts
    .slice(1)
    .join(' ')
    .replace(/\b(?:syscalls|sys_enter|sys_exit)\b|[*_:]/g, ' ');
  return name
    .replace(/\b(?:vfs|do|sys|ksys|x64|__\w+)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Kernels without kprobes or fentry: what is there instead. */
export async function lacksProvider(provider: string, question: Question): Promise<Advice | undefined> {
  const name = longProvider(provider);
  const family = FAMILIES.find(each => each.names.includes(name));
  if (!family) return undefined;
  const counts = await Promise.all(family.lists.map(each => question.host.countProbes(`${each}:*`)));
  // Where not even tracepoints are listed, tracefs is what is missing.
  const tracepoints = await question.host.countProbes('tracepoint:*');
  if (!tracepoints || counts.some(count => count === undefined || count > 0)) return undefined;
  const instead = await alternatives(question, name);
  return { code: 'unsupported_here', hint: `this kernel has no ${family.called}${instead}` };
}

const FAMILIES: readonly { names: readonly string[]; lists: readonly string[]; called: string }[] = [
  { names: ['kprobe', 'kretprobe'], lists: ['kprobe'], called: 'kprobes' },
  {
    names: ['fentry', 'fexit', 'kfunc', 'kretfunc'],
    lists: ['fentry', 'kfunc'],
    called: 'fentry or fexit (kfunc, kretfunc)',
  },
];

async function alternatives(question: Question, provider: string): Promise<string> {
  const point = pointOf(question);
  if (!point) return '';
  const names = await tracepointsFor(point, /ret|exit/.test(provider), question);
  return names.length > 0 ? `; use ${names.join(' or ')}` : '; list_probes finds tracepoints by words';
}

/** Tracepoints near a kernel function: the system call that it serves, then those with its words. */
async function tracepointsFor(point: AttachPoint, returns: boolean, { host }: Question): Promise<string[]> {
  const named = (point.parts.at(-1) ?? '').replace(/\+.*$/, '');
  const call = named.replace(/^_*(?:x64_sys|arm64_sys|do_sys|do_compat_sys|ksys|sys|vfs|SyS|do)_+/, '');
  const side = returns ? 'exit' : 'enter';
  for (const each of [call, SERVED[call] ?? call, call.replace(/\d+$/, '')]) {
    const probe = `tracepoint:syscalls:sys_${side}_${each}`;
    if (/^\w+$/.test(each) && (await host.countProbes(probe)) === 1) return [probe];
  }
  const event = EVENTS[named];
  if (event !== undefined && (await host.countProbes(event)) === 1) return [event];
  const near = (await host.nearestProbes(`kprobe:${named}`, NAMED_MAX)).filter(isSameName(named));
  if (near.length > 0) return near.slice(0, NAMED_MAX);
  const words = wordsOf(point);
  if (words === '') return [];
  return (await host.probesAbout(words, NAMED_MAX)).filter(each => each.startsWith('tracepoint:'));
}

/** Kernel functions whose system call has another name. */
const SERVED: Readonly<Record<string, string>> = {
  nanosleep: 'clock_nanosleep',
  open: 'openat',
  openat2: 'openat',
  execve: 'execve',
  stat: 'newstat',
  getattr: 'newfstatat',
  create: 'openat',
  fork: 'clone',
};

/** Kernel functions that programs trace, and the tracepoint of the same moment. */
const EVENTS: Readonly<Record<string, string>> = {
  blk_account_io_start: 'tracepoint:block:block_io_start',
  blk_account_io_done: 'tracepoint:block:block_io_done',
  blk_mq_start_request: 'tracepoint:block:block_rq_issue',
  blk_start_request: 'tracepoint:block:block_rq_issue',
  submit_bio: 'tracepoint:block:block_bio_queue',
  tcp_v4_connect: 'tracepoint:syscalls:sys_enter_connect',
  tcp_v6_connect: 'tracepoint:syscalls:sys_enter_connect',
  tcp_connect: 'tracepoint:syscalls:sys_enter_connect',
  inet_csk_accept: 'tracepoint:syscalls:sys_exit_accept4',
  tcp_set_state: 'tracepoint:sock:inet_sock_set_state',
  tcp_sendmsg: 'tracepoint:sock:sock_send_length',
  tcp_recvmsg: 'tracepoint:sock:sock_recv_length',
  tcp_drop: 'tracepoint:skb:kfree_skb',
  finish_task_switch: 'tracepoint:sched:sched_switch',
  try_to_wake_up: 'tracepoint:sched:sched_waking',
  ttwu_do_wakeup: 'tracepoint:sched:sched_wakeup',
  wake_up_new_task: 'tracepoint:sched:sched_wakeup_new',
  do_exit: 'tracepoint:sched:sched_process_exit',
  oom_kill_process: 'tracepoint:oom:mark_victim',
  handle_mm_fault: 'tracepoint:exceptions:page_fault_user',
  ext4_sync_file: 'tracepoint:ext4:ext4_sync_file_enter',
};

function isSameName(named: string): (probe: string) => boolean {
  return probe => probe.endsWith(`:${named}`);
}

export function fullName(point: AttachPoint): string {
  return [longProvider(point.parts[0] ?? ''), ...point.parts.slice(1)].join(':');
}
