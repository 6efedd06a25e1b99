import type { Crowd, Culprit } from '../../test/support/culprits.js';

/** Something a person on call would ask, with a process that behaves so and the program that an agent would write. */
export interface Question {
  ask: string;
  culprits: readonly Culprit[];
  program(crowd: Crowd): string;
  /** What answers the question: each must be found in what bpftrace prints and in what the server says. */
  facts: readonly RegExp[];
}
