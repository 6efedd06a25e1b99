import type { MapEntry, TypedMap } from '../contract/map.js';
import { keyText, valueText } from './value-text.js';

/** Entries of one map shown as text, the largest first. */
const ENTRIES_SHOWN = 20;

/** One map in compact lines: `@n: 20`; of several entries each in a line of its own, below the name. */
export function mapLines(map: TypedMap, shown = ENTRIES_SHOWN): string[] {
  const { name, entries } = map;
  const notes = notesOf(map, shown);
  if (!entries) return [`${name}: ${oneLine(valueText(map.value ?? null))}${inParentheses(notes)}`];
  const [only] = entries;
  if (only && entries.length === 1) return [`${name}[${entryText(only, ']: ')}${inParentheses(notes)}`];
  return [
    `${name}:${inParentheses(notes)}`,
    ...entries.slice(0, shown).map(entry => ` ${entryText(entry, ': ')}`),
  ];
}

function entryText({ key, value }: MapEntry, between: string): string {
  return oneLine(`${keyText(key)}${between}${valueText(value)}`);
}

/** Of names and labels, where a newline is not to be expected. */
function oneLine(text: string): string {
  return text.replaceAll('\n', '\\n');
}

/** What the entries alone do not say. */
function notesOf(map: TypedMap, shown: number): string[] {
  const { entries = [], omitted } = map;
  const notes: string[] = [];
  if (entries.length > shown) notes.push(`the ${shown} largest of ${entries.length} keys`);
  if (omitted && map.entries_total === undefined) notes.push('a value too large to keep');
  else if (omitted) {
    const sum = omitted.sum === undefined ? '' : ` with ${omitted.sum} together`;
    notes.push(`${map.entries_total} keys, the ${omitted.entries} smallest${sum} not shown`);
  }
  if (map.stacks_merged) notes.push(`${map.stacks_merged} stacks merged into others, offsets apart`);
  // Where a part is missing it is seen; of a key that is whole it is not.
  if (map.keys_unsplit && (map.keys?.length ?? 0) > 1) notes.push(`keys whole: ${map.keys_unsplit}`);
  if (map.blanks_lost) notes.push('spaces missing in keys');
  if (map.strings_not_utf8) notes.push('\\xNN: a byte that is no UTF-8');
  if (map.full) notes.push(`full${map.updates_lost ? `, ${map.updates_lost} updates lost` : ''}`);
  if (map.strings_cut) notes.push(`${map.strings_cut} strings cut`);
  return notes;
}

function inParentheses(notes: readonly string[]): string {
  return notes.length > 0 ? ` (${notes.join('; ')})` : '';
}
