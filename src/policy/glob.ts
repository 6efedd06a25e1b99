/**
 * Patterns as sets of strings, to compare an operator's with a program's. `*` is any text, `?` any character;
 * brackets are taken for any text, which is more than they stand for.
 */

/** Of more than one character, so that none of a string's is like them. */
const ANY_TEXT = 'any text';
const ANY_CHARACTER = 'any character';
export type Glob = readonly string[];

export function hasWildcard(text: string): boolean {
  return /[*?[\]]/.test(text);
}

export function parseGlob(text: string): Glob {
  return [...text.replace(/\[.*\]|[[\]]/gs, '*')].map(character => {
    if (character === '*') return ANY_TEXT;
    return character === '?' ? ANY_CHARACTER : character;
  });
}

/** Whether every string of `inner` is one of `outer`. May say no where it is so, never yes where it isn't. */
export function covers(outer: Glob, inner: Glob): boolean {
  return compare(
    outer,
    inner,
    (one, other) => other !== ANY_TEXT && (one === ANY_CHARACTER || one === other),
    false,
  );
}

/** Whether some string is one of both. */
export function intersects(one: Glob, other: Glob): boolean {
  const meets = (a: string | undefined, b: string | undefined) =>
    a !== ANY_TEXT && b !== ANY_TEXT && (a === ANY_CHARACTER || b === ANY_CHARACTER || a === b);
  return compare(one, other, meets, true);
}

/**
 * Walks both patterns side by side; a `*` of the first stands for any number of the second's characters, and
 * with `symmetric` also the other way round. In time by the product of their lengths.
 */
function compare(
  one: Glob,
  other: Glob,
  meets: (a: string | undefined, b: string | undefined) => boolean,
  symmetric: boolean,
): boolean {
  // reached[j]: the first i characters of one and the first j of the other can be matched.
  let reached = new Array<boolean>(other.length + 1).fill(false);
  reached[0] = true;
  for (let i = 0; i <= one.length; i++) {
    const next = new Array<boolean>(other.length + 1).fill(false);
    for (let j = 0; j <= other.length; j++) {
      if (!reached[j]) continue;
      const [a, b] = [one[i], other[j]];
      if (a === ANY_TEXT) {
        next[j] = true;
        if (j < other.length) reached[j + 1] = true;
      }
      if (symmetric && b === ANY_TEXT) {
        reached[j + 1] = true;
        if (i < one.length) next[j] = true;
      }
      if (i < one.length && j < other.length && meets(a, b)) next[j + 1] = true;
    }
    if (i === one.length) return reached[other.length] === true;
    reached = next;
  }
  return false;
}
