import type { AttachPoint } from '../../language/outline.js';
import type { Adviser, Question } from './advice.js';
import { distance, nearest } from './nearest.js';

/** The same thing in another place's words. */
const SYNONYMS: readonly (readonly string[])[] = [
  ['filename', 'pathname', 'path', 'name', 'file'],
  ['ret', 'retval', 'return', 'result', 'rc'],
  ['count', 'size', 'len', 'length', 'bytes', 'nbytes'],
  ['pid', 'tgid', 'tid'],
  ['fd', 'file', 'dfd'],
  ['buf', 'buffer', 'data', 'ubuf'],
  ['uservaddr', 'addr', 'sockaddr', 'umyaddr'],
  ['flags', 'mode', 'oflag'],
  ['comm', 'command', 'process'],
  ['nr_sector', 'sectors', 'nr_sectors'],
  ['dport', 'port', 'dstport', 'sport'],
];
const LISTED_MAX = 12;

/** A field that a tracepoint's arguments or a C type do not have. */
export const unknownField: Adviser = async question => {
  const { finding, text, host } = question;
  const name = finding.subject ?? '';
  if (/common tracepoint fields/.test(finding.message)) {
    return { hint: 'use the builtins instead: pid, tid, comm, cpu, nsecs' };
  }
  const type = /^(?:Struct\/union of type )?'([^']+)'/.exec(finding.message)?.[1] ?? '';
  const probe = tracepointOf(type, question);
  const names = probe === undefined ? await membersOf(type, question) : await host.fieldsOf(probe);
  // A type that 0.17 has read in part only.
  if (names.length === 0 || names.includes(name)) return undefined;
  const meant = alike(name, names);
  const others = await whereElse(name, probe, question);
  if (others !== undefined) return { hint: others };
  const list = listed(names);
  if (meant === undefined) return { hint: `${probe ?? type} has ${list}` };
  const rest = probe === undefined ? '' : ` It has ${list}`;
  return {
    hint: `did you mean ${meant}?${rest}`,
    ...(finding.range && isPlain(text.slice(finding.range)) && { replacement: meant }),
  };
};

function isPlain(text: string): boolean {
  return /^\w+$/.test(text);
}

function alike(name: string, names: readonly string[]): string | undefined {
  const [near] = nearest(name, names, 1);
  if (near !== undefined && distance(name, near) <= 2) return near;
  const words = SYNONYMS.filter(each => each.includes(name)).flat();
  return names.find(each => words.includes(each)) ?? near;
}

/** `struct _tracepoint_sched_sched_switch` of 0.17 and 0.23, `struct tracepoint:sched:sched_switch_args` of 0.27. */
function tracepointOf(type: string, { finding, text }: Question): string | undefined {
  const named = /^struct tracepoint:(\w+:\w+)_args$/.exec(type)?.[1];
  if (named !== undefined) return `tracepoint:${named}`;
  const plain = /^struct _tracepoint_(\w+)$/.exec(type)?.[1];
  if (plain === undefined) return undefined;
  const points = (finding.range && text.probeAt(finding.range)?.attachPoints) ?? text.attachPoints;
  const point = points.find(({ parts }) => `${parts[1]}_${parts[2]}` === plain);
  if (point) return `tracepoint:${point.parts[1]}:${point.parts[2]}`;
  const category = points.find(({ parts }) => plain.startsWith(`${parts[1]}_`))?.parts[1];
  return category && `tracepoint:${category}:${plain.slice(category.length + 1)}`;
}

async function membersOf(type: string, { text, host }: Question): Promise<string[]> {
  const own = text.outline.items.find(({ tokens: [token] }) => token?.text.startsWith(`${type} `));
  const body = own?.tokens[0]?.text;
  if (body !== undefined) {
    return [...body.slice(body.indexOf('{')).matchAll(/(\w+)\s*(?:\[[^\]]*\]\s*)?;/g)].map(
      ([, each = '']) => each,
    );
  }
  return host.membersOf(type);
}

/** A system call's result is known when it returns, its arguments when it begins. */
async function whereElse(
  name: string,
  probe: string | undefined,
  { host }: Question,
): Promise<string | undefined> {
  const [, side, call] = /^tracepoint:syscalls:sys_(enter|exit)_(\w+)$/.exec(probe ?? '') ?? [];
  if (call === undefined) return undefined;
  const other = `tracepoint:syscalls:sys_${side === 'enter' ? 'exit' : 'enter'}_${call}`;
  const fields = await host.fieldsOf(other);
  if (!fields.includes(name)) return undefined;
  return side === 'exit'
    ? `${name} is known at the entry only: keep it there, @arg[tid] = args->${name} in ${other}`
    : `${name} is of ${other}`;
}

function listed(names: readonly string[]): string {
  const own = names.filter(each => !each.startsWith('__') && !each.startsWith('common_'));
  const left = own.length - LISTED_MAX;
  return left > 0 ? `${own.slice(0, LISTED_MAX).join(', ')} and ${left} more` : own.join(', ');
}

/** A struct, union or enum that nothing defines. */
export const unknownStruct: Adviser = async ({ finding, host, text }) => {
  const name = finding.subject ?? '';
  const [, keyword, bare] = /^(?:(struct|union|enum) )?(.+)$/.exec(name) ?? [];
  if (keyword === undefined) {
    const meant = nearest(name, INTEGERS, 1)[0];
    if (meant !== undefined) return { hint: `did you mean ${meant}?`, replacement: meant };
    if ((await host.membersOf(`struct ${bare}`)).length > 0) {
      return { hint: `did you mean struct ${bare}?`, replacement: `struct ${bare}` };
    }
    return { hint: `types are ${INTEGERS.join(', ')} and structs of the kernel (struct task_struct)` };
  }
  const own = text.outline.items.flatMap(
    ({ tokens: [token] }) => /^struct\s+(\w+)/.exec(token?.text ?? '')?.[1] ?? [],
  );
  const meant = nearest(bare ?? '', [...own, ...COMMON_STRUCTS], 1)[0];
  if (meant !== undefined) return { hint: `did you mean struct ${meant}?`, replacement: `struct ${meant}` };
  return {
    hint: `define it at the top: ${keyword} ${bare} { … }, or find the right name with list_probes "${keyword} …"`,
  };
};

const INTEGERS = ['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'];
/** What programs cast to. */
const COMMON_STRUCTS = [
  ...[
    'task_struct',
    'file',
    'inode',
    'dentry',
    'path',
    'qstr',
    'mm_struct',
    'vm_area_struct',
    'cred',
    'page',
  ],
  ...['sock', 'socket', 'sock_common', 'inet_sock', 'tcp_sock', 'sk_buff', 'sockaddr', 'sockaddr_in'],
  ...['sockaddr_in6', 'iphdr', 'ipv6hdr', 'tcphdr', 'udphdr', 'net_device', 'request', 'bio', 'gendisk'],
  ...[
    'block_device',
    'cfs_rq',
    'rq',
    'sched_entity',
    'signal_struct',
    'files_struct',
    'fdtable',
    'super_block',
  ],
  ...[
    'kiocb',
    'iov_iter',
    'msghdr',
    'pt_regs',
    'linux_binprm',
    'nsproxy',
    'pid',
    'cgroup',
    'timespec64',
    'list_head',
  ],
];

/** A field of the attach point that an agent may show as an example. */
export async function exampleField(point: AttachPoint, question: Question): Promise<string | undefined> {
  const fields = await question.host.fieldsOf(`tracepoint:${point.parts[1]}:${point.parts[2]}`);
  return fields.find(each => !each.startsWith('__'));
}
