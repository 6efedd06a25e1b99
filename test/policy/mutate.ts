interface Random {
  next(): number;
  below(bound: number): number;
}

/** Pieces that a lexer may trip over. */
const PIECES = [
  '/*',
  '*/',
  '//',
  '/**/',
  '/* " */',
  '// "\n',
  '/',
  '*',
  '"',
  '"a"',
  '\\',
  '\\"',
  '\n',
  ' ',
  '\t',
  '\r',
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ':',
  ';',
  ',',
  '.',
  '..',
  '->',
  '@',
  '@x',
  '$',
  '$x',
  '$1',
  '$#',
  '#',
  '#!',
  '\n#!x\n',
  '%:',
  '?',
  '|',
  '+',
  '0x1f',
  '1_000',
  '1e3',
  '5ms',
  '9x',
  'struct ',
  '(struct a *)',
  'sizeof(struct a)',
  'union ',
  'enum ',
  'cat("/x")',
  'cat',
  'BEGIN',
  'END{}',
  'kprobe:f',
  'uprobe:/bin/*:f',
  'if (1) { }',
  '/1/',
  '/{',
  '"/*"',
  '"*/"',
  "'",
  '`',
  'é',
  '\0',
  '\v',
  '=',
  '==',
];
const CHANGES_MAX = 3;

/** A program like one of `seeds`, with a few changes. */
export function mutate(seeds: readonly string[], random: Random): string {
  const any = (): string => seeds[random.below(seeds.length)] ?? '';
  let program = any();
  for (let changes = 1 + random.below(CHANGES_MAX); changes > 0; changes--)
    program = change(program, any, random);
  return program;
}

function change(program: string, any: () => string, random: Random): string {
  const at = random.below(program.length + 1);
  const to = Math.min(program.length, at + 1 + random.below(8));
  const [before, cut, after] = [program.slice(0, at), program.slice(at, to), program.slice(to)];
  switch (random.below(7)) {
    case 0:
      return before + after;
    case 1:
      return before + cut + cut + after;
    case 2: {
      const other = any();
      return before + other.slice(random.below(other.length + 1));
    }
    case 3:
      return `${program}\n${any()}`;
    default:
      return before + (PIECES[random.below(PIECES.length)] ?? '') + cut + after;
  }
}
