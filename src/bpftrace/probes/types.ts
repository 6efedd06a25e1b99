import type { PageStart } from '../../contract/probes.js';
import { cursorFor } from './cursor.js';
import type { ProbePage } from './page.js';

/**
 * The lines of a definition as bpftrace prints it, all or those that hold a member.
 * @param members a part of the members' names, or a pattern with `*`; empty for all
 */
export function linesOf(printed: readonly string[], members: string): string[] {
  const end = printed.findIndex(line => line.startsWith('};'));
  const lines = printed
    .slice(0, end < 0 ? printed.length : end + 1)
    // 0.27 says where it has it from: `vmlinux: struct task_struct {`.
    .map(line => line.replace(/^\w+: (?=struct |union |enum )/, '').replace(/\t/g, '  '))
    .filter(line => line !== '');
  if (members === '') return lines;
  const [head = ''] = lines;
  const name = memberPattern(members);
  const found = lines.slice(1, -1).filter(line => name.test(memberOf(line)));
  return found.length === 0 ? [] : [head, ...found, '};'];
}

/** The name that a line declares: `int on_cpu;`, `u64 a[4];`, `u8 bit:1;`, `int (*call)(void *);`, `PIDTYPE_PID = 0,`. */
function memberOf(line: string): string {
  return (
    /^\s*(\w+)(?: = -?\w+)?,?$|\(\*(\w+)\)|(\w+)\s*(?:\[\d*\])*(?::\s*\d+)?;$/
      .exec(line)
      ?.slice(1)
      .find(Boolean) ?? ''
  );
}

function memberPattern(members: string): RegExp {
  const parts = members.split('*').map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return parts.length === 1 ? new RegExp(parts[0] ?? '') : new RegExp(`^${parts.join('.*')}$`);
}

/** A page of a definition. */
export function definitionPage(
  filter: string,
  lines: readonly string[],
  limit: number,
  start?: PageStart,
): ProbePage {
  const begin = Math.min(start?.offset ?? 0, lines.length);
  const definition = lines.slice(begin, begin + limit);
  const offset = begin + definition.length;
  return {
    probes: [],
    count: definition.length,
    total: lines.length,
    totals: {},
    definition,
    ...(offset < lines.length && { next_cursor: cursorFor(filter, { after: '', offset, generation: 0 }) }),
  };
}
