import type { ProbeField } from '../../src/contract/probes.js';
import { constantOf, type Enumerator } from './constant.js';
import { fieldOf } from './declaration.js';

/**
 * A tracepoint's format file (/sys/kernel/tracing/events/GROUP/EVENT/format):
 *
 *   field:enum skb_drop_reason reason;	offset:36;	size:4;	signed:0;
 *   print fmt: "… reason: %s", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 3, "NO_SOCKET" })
 *   print fmt: "… flags=%s", __print_flags(REC->flags, "|", { (1UL << 0), "READ" })
 *
 * Where what is printed is one field as it is, the names are what its numbers mean; where it is only a part of
 * one (`REC->x & 0xf`), or a number can't be told, they are left out.
 */
export function readFormat(text: string, enumerator: (name: string) => bigint | undefined): ProbeField[] {
  const fields: ProbeField[] = [];
  const widths = new Map<ProbeField, { bits: number; signed: boolean }>();
  for (const [, declaration = '', size, signed] of text.matchAll(FIELD)) {
    const field = fieldOf(declaration);
    if (field.name.startsWith('common_')) continue;
    fields.push(field);
    widths.set(field, { bits: Number(size) * 8, signed: signed === '1' });
  }
  const format = text.slice(Math.max(text.indexOf('print fmt:'), 0));
  for (const { index, 0: call } of format.matchAll(/__print_(?:symbolic|flags)(?:_u64)?\(/g)) {
    const [subject = '', ...others] = argumentsAt(format, index + call.length);
    const flags = call.includes('flags');
    const { name, mask } = subjectOf(subject, flags, enumerator);
    const field = fields.find(one => one.name === name);
    if (!field || field.values) continue;
    const { bits, signed } = widths.get(field) ?? { bits: 64, signed: true };
    const values: Record<string, string> = {};
    for (const [number, meaning] of valuesOf(flags ? others.slice(1) : others, enumerator)) {
      // What the mask takes away is never printed, though it may be set.
      if ((number & mask) !== number) continue;
      values[String(signed ? number : BigInt.asUintN(bits, number))] ??= meaning;
    }
    if (Object.keys(values).length > 0) Object.assign(field, { values, ...(flags && { flags: true }) });
  }
  return fields;
}

const FIELD = /^\tfield:([^;]*);\s*offset:\d+;\s*size:(\d+);(?:\s*signed:(\d);)?/gm;
const CAST = '(?:\\(\\s*[\\w\\s]+\\)\\s*)?';
const WHOLE_FIELD = new RegExp(`^${CAST}\\(?\\s*REC->(\\w+)\\s*\\)?$`);
const MASKED_FIELD = new RegExp(`^${CAST}\\(?\\s*REC->(\\w+)\\s*\\)?\\s*&(.*)$`, 's');

/** Of which field the names are. Flags are none the less bits of a field where only some bits of it are printed. */
function subjectOf(
  subject: string,
  flags: boolean,
  enumerator: Enumerator,
): { name?: string | undefined; mask: bigint } {
  const whole = WHOLE_FIELD.exec(subject);
  if (whole) return { name: whole[1], mask: -1n };
  const [, name, expression = ''] = MASKED_FIELD.exec(subject) ?? [];
  const mask = constantOf(expression, enumerator);
  return flags && mask !== undefined ? { name, mask } : { mask: 0n };
}

/** `{ 2, "NOT_SPECIFIED" }`. One whose number can't be told is left out. */
function valuesOf(pairs: readonly string[], enumerator: Enumerator): [bigint, string][] {
  return pairs.flatMap((pair): [bigint, string][] => {
    const [, expression = '', meaning = ''] = /^\{(.*),\s*"(.*)"\s*\}$/s.exec(pair) ?? [];
    const number = constantOf(expression, enumerator);
    return number === undefined ? [] : [[number, meaning]];
  });
}

/** The arguments of a call, from behind its opening parenthesis. */
function argumentsAt(text: string, begin: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = begin;
  let quoted = false;
  for (let i = begin; i < text.length; i++) {
    const character = text[i] ?? '';
    if (quoted) {
      if (character === '\\') i++;
      else quoted = character !== '"';
    } else if (character === '"') {
      quoted = true;
    } else if (depth === 0 && (character === ',' || character === ')')) {
      found.push(text.slice(from, i).trim());
      from = i + 1;
      if (character === ')') return found;
    } else if ('({['.includes(character)) {
      depth++;
    } else if (')}]'.includes(character)) {
      depth--;
    }
  }
  return found;
}
