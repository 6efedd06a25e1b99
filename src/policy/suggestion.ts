import { nearest } from '../bpftrace/diagnostics/hints/nearest.js';

/** `printf, ` for `prinf`: the known names that may have been meant, to stand before the rest of a sentence. */
export function suggestion(name: string, known: Iterable<string>): string {
  return nearest(name, known)
    .map(each => `${each}, `)
    .join('');
}
