/** The value of a name, if it has one. */
export type Enumerator = (name: string) => bigint | undefined;

/**
 * The value of a constant expression in C as the kernel's format files have them: integers with suffixes,
 * casts, names of enumerators, and `~ - + * << & | ( )`. Undefined for anything else.
 *
 *   (1UL << 3)    ( unsigned long)(( gfp_t)((((1UL))) << (10)))    TCP_ESTABLISHED
 */
export function constantOf(text: string, enumerator: Enumerator): bigint | undefined {
  const tokens = text.match(/0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|[A-Za-z_]\w*|<<|>>|\S/g) ?? [];
  let at = 0;
  const binary = (level: number): bigint => {
    const operators = LEVELS[level];
    if (!operators) return unary();
    let value = binary(level + 1);
    for (let act = operators[tokens[at] ?? '']; act; act = operators[tokens[at] ?? '']) {
      at++;
      value = act(value, binary(level + 1));
    }
    return value;
  };
  const unary = (): bigint => {
    const token = tokens[at++] ?? '';
    if (token === '-') return -unary();
    if (token === '~') return ~unary();
    if (token === '(') {
      if (isCast()) {
        while (tokens[at++] !== ')');
        return unary();
      }
      const value = binary(0);
      if (tokens[at++] !== ')') throw new SyntaxError('a parenthesis is missing');
      return value;
    }
    if (/^\d/.test(token)) return BigInt(token.replace(/[uUlL]+$/, ''));
    const value = enumerator(token);
    if (value === undefined) throw new SyntaxError(`${token} is unknown`);
    return value;
  };
  /** Behind a parenthesis: words only, and something to cast behind the closing one. */
  const isCast = (): boolean => {
    let end = at;
    while (/^[A-Za-z_]/.test(tokens[end] ?? '')) end++;
    return end > at && tokens[end] === ')' && /^[\w(~]/.test(tokens[end + 1] ?? '');
  };
  try {
    const value = binary(0);
    return at === tokens.length ? value : undefined;
  } catch {
    return undefined;
  }
}

/** By precedence, the loosest first. */
const LEVELS: readonly Record<string, (a: bigint, b: bigint) => bigint>[] = [
  { '|': (a, b) => a | b },
  { '&': (a, b) => a & b },
  { '<<': (a, b) => a << b, '>>': (a, b) => a >> b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b },
];
