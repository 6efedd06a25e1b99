import { outline } from '../../bpftrace/language/outline.js';
import { tokenize } from '../../bpftrace/language/tokenizer.js';
import { runsByItself, unconfined } from '../rules/scope.js';
import type { Scope } from './scope.js';

/** A program of this server's own, with the scope written into the predicates that lack it. */
export function confine(program: string, scope: Scope): string {
  const { predicate } = scope;
  const lacking = outline(tokenize(program)).probes.filter(
    probe => !probe.attachPoints.every(runsByItself) && unconfined(probe, scope) !== undefined,
  );
  let text = program;
  // From the end on, so that the places of those before stay right.
  for (const { predicate: own, body } of lacking.reverse()) {
    if (own) {
      const rest = text.slice(own.start, own.end);
      text = `${text.slice(0, own.start)}${predicate} && (${rest})${text.slice(own.end)}`;
    } else {
      const brace = text.lastIndexOf('{', body.start - 1);
      text = `${text.slice(0, brace)}/${predicate}/ ${text.slice(brace)}`;
    }
  }
  return text;
}
