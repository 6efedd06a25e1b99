import { boundText, type Figure, isRatio, verdictOf } from './figure.js';
import { significant, spreadOf } from './statistics.js';

const NAME_COLUMNS = 46;

/** A figure as the terminal shows it: each side, then the ratio with its bound. */
export function figureLines(figure: Figure): string[] {
  const { name, unit, sides, ratios, wanted, note } = figure;
  const bound = wanted ? `, wanted ${boundText(wanted)}: ${verdictOf(ratios, wanted)}` : '';
  const isOne = ratios.length === 1;
  const measured = sides.map(
    side => `    ${side.name.padEnd(NAME_COLUMNS - 2)} ${spreadText(side.samples)} ${unit}`,
  );
  const lines = isRatio(figure)
    ? [`  ${name}`, ...measured, `    ${'ratio'.padEnd(NAME_COLUMNS - 2)} ${spreadText(ratios)}${bound}`]
    : [
        `  ${name.padEnd(NAME_COLUMNS)} ${isOne ? significant(ratios[0] ?? Number.NaN) : spreadText(ratios)} ${unit}${bound}`,
      ];
  return [...lines, ...(note === undefined ? [] : [`    ${note}`])];
}

/** `median (lowest to highest)` */
export function spreadText(values: readonly number[]): string {
  const { min, median, max } = spreadOf(values);
  return `${significant(median)} (${significant(min)} to ${significant(max)})`;
}
