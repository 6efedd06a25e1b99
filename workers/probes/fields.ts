import type { FieldsByName, ProbeField } from '../../src/contract/probes.js';
import type { SpawnPlan } from '../../src/contract/trace.js';
import { kernelBtf } from './btf.js';
import { fieldOf } from './declaration.js';
import { readFormat } from './format-file.js';
import { hostFiles } from './host-files.js';
import { run } from './run.js';

const EVENTS = ['/sys/kernel/tracing/events', '/sys/kernel/debug/tracing/events'];

/** What the kernel itself tells of probes, with no bpftrace: tracepoints by their format files, functions by BTF. */
export function fieldsByKernel(names: readonly string[]): FieldsByName {
  const found: FieldsByName = {};
  for (const name of names) {
    const fields = fieldsOf(name);
    if (fields) found[name] = fields;
  }
  return found;
}

function fieldsOf(name: string): ProbeField[] | undefined {
  const [provider, ...rest] = name.split(':');
  if (provider === 'tracepoint') return fieldsOfTracepoint(rest);
  if (provider === 'kprobe' || provider === 'kretprobe') return fieldsOfFunction(provider, rest);
  // perf's events have none, and bpftrace refuses a list of probes that holds one.
  return provider === 'software' || provider === 'hardware' ? [] : undefined;
}

function fieldsOfTracepoint([group = '', event = '']: readonly string[]): ProbeField[] | undefined {
  if (!/^[\w.-]+$/.test(group) || !/^[\w.-]+$/.test(event)) return undefined;
  for (const folder of EVENTS) {
    try {
      const text = hostFiles.text(`${folder}/${group}/${event}/format`);
      const fields = readFormat(text, name => kernelBtf()?.enumerator(name));
      return fields.map(withEnum);
    } catch {
      // Not mounted there, or not for this user: bpftrace may do better.
    }
  }
  return undefined;
}

function withEnum(field: ProbeField): ProbeField {
  const name = /^enum (\w+)$/.exec(field.type)?.[1];
  const values = field.values ?? (name ? kernelBtf()?.enumValues(name) : undefined);
  return values ? { ...field, values } : field;
}

/** Only of the kernel proper: a module's function of the same name may take something else. */
function fieldsOfFunction(provider: string, rest: readonly string[]): ProbeField[] | undefined {
  const name = rest.at(-1) ?? '';
  if (rest.length > 1 && rest[0] !== 'vmlinux') return undefined;
  if (provider === 'kretprobe') {
    const type = kernelBtf()?.returns(name);
    return type === undefined ? undefined : [{ name: 'retval', type }];
  }
  return kernelBtf()
    ?.parameters(name)
    ?.map((field, i) => withEnum({ ...field, access: `arg${i}` }));
}

/**
 * What `bpftrace -lv` tells: each probe's name, and behind it a line for each argument. Empty when it fails,
 * as it does for all when it can't tell one.
 *
 *   tracepoint:sched:sched_switch
 *       char prev_comm[16]
 */
export async function fieldsByBpftrace(spawn: SpawnPlan): Promise<FieldsByName> {
  const { stdout } = await run(spawn);
  const found: FieldsByName = {};
  let own: ProbeField[] = [];
  for (const line of stdout.split('\n')) {
    if (/^\s+\S/.test(line)) {
      own.push(withEnum(fieldOf(line)));
    } else if (line !== '') {
      own = [];
      found[line] = own;
    }
  }
  return found;
}
