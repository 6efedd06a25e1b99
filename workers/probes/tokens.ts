/**
 * A name's words: `sys_enter_openAt2` is sys, enter, open, at2. A word ends where a character other than a
 * letter or digit stands, and where a small letter is followed by a capital one. Whether one ends between two
 * characters depends on these two alone, so that the words inside a piece of a name are words of the name.
 */
export function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let begin = -1;
  let wasSmall = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const capital = code >= 65 && code <= 90;
    const inside = isWordCode(code);
    if (begin >= 0 && (!inside || (capital && wasSmall))) {
      tokens.push(text.slice(begin, i).toLowerCase());
      begin = -1;
    }
    if (inside && begin < 0) begin = i;
    wasSmall = code >= 97 && code <= 122;
  }
  if (begin >= 0) tokens.push(text.slice(begin).toLowerCase());
  return tokens;
}

/** Letters, digits, and whatever is not ASCII. */
export function isWordCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code > 127
  );
}
