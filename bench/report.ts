import type { Figure } from './figure.js';
import type { Machine } from './machine.js';

/** All of one run, as `--json` writes it. */
export interface Report {
  machine: Machine;
  /** When it began, ISO 8601. */
  begun: string;
  tookS: number;
  benches: { name: string; tookS: number; figures: Figure[]; failed?: string }[];
}

/** Figures with their bench, in the order in which they were measured. */
export function figuresOf({ benches }: Report): (Figure & { bench: string })[] {
  return benches.flatMap(({ name, figures }) => figures.map(figure => ({ ...figure, bench: name })));
}
