import type { AskFailure, ProbeField } from '../../src/contract/probes.js';
import type { SpawnPlan } from '../../src/contract/trace.js';
import { run } from './run.js';

/**
 * The arguments of probes, from `bpftrace -lv`: each probe's name, and behind it a line for each argument.
 *
 *   tracepoint:sched:sched_switch
 *       char prev_comm[16]
 */
export async function fieldsOf(
  names: readonly string[],
  spawn: SpawnPlan,
): Promise<{ byName: Record<string, ProbeField[]> } | AskFailure> {
  const { stdout, stderr, status } = await run(spawn);
  if (stdout === '' && status !== 0) return { failed: { stderr, status } };
  const byName: Record<string, ProbeField[]> = {};
  let own: ProbeField[] | undefined;
  for (const line of stdout.split('\n')) {
    if (names.includes(line)) {
      own = [];
      byName[line] = own;
    } else if (/^\s+\S/.test(line)) {
      own?.push(fieldOf(line.trim()));
    } else {
      own = undefined;
    }
  }
  return { byName };
}

/** `char prev_comm[16]` is prev_comm, of type char[16]. */
export function fieldOf(declaration: string): ProbeField {
  const match = /^(.*?)\s*\b(\w+)((?:\[[^\]]*\])*)$/.exec(declaration);
  const [, type = '', name = declaration, array = ''] = match ?? [];
  return { name, type: `${type.replace(/\s+\*/g, ' *')}${array}` };
}
