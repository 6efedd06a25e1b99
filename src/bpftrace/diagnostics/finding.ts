import type { Diagnostic } from './diagnostic.js';
import type { Range } from './text.js';

/** A diagnostic in the making. */
export interface Finding extends Diagnostic {
  /** The name it is about, as the program has it. */
  subject?: string;
  range?: Range;
}

/** Of one diagnostic; what is left out is counted. */
const NOTES_MAX = 3;

export function published({ subject, range, notes, ...diagnostic }: Finding): Diagnostic {
  if (!notes?.length) return diagnostic;
  // bpftrace lists every probe of a wildcard.
  const left = notes.length - NOTES_MAX;
  const few = left > 1 ? [...notes.slice(0, NOTES_MAX), `and ${left} more like these`] : notes;
  return { ...diagnostic, notes: few };
}
