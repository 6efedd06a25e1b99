import type { Release } from '../../version.js';

/** What stands around the place of a syntax error, and what is meant by it. */

interface Habit {
  /** What stands before the place, up to 200 characters; and from the place on. */
  before?: RegExp;
  at?: RegExp;
  hint: string;
}

/** What came into the language later: how it looks, since when, what does without it. */
export const LATER: readonly {
  since: Release;
  name: string;
  before?: RegExp;
  at: RegExp;
  instead: string;
}[] = [
  {
    since: '0.24',
    name: 'a range loop',
    before: /for\s*\(?\s*\$\w+\s*:\s*\S*$/,
    at: /^\.?\.?/,
    instead: 'use while or unroll',
  },
  {
    since: '0.24',
    name: 'a range loop',
    at: /^for\s*\(?\s*\$\w+\s*:\s*[^@\s)]*\.\./,
    instead: 'use while or unroll',
  },
  {
    since: '0.21',
    name: 'a loop over a map',
    at: /^for\s*\(?\s*\$\w+\s*:\s*@/,
    instead: 'print(@map) shows it whole',
  },
  {
    since: '0.25',
    name: 'a map declaration',
    before: /(?:^|[};\s])let\s*$/,
    at: /^@/,
    instead: 'leave it out: maps need no declaration',
  },
  {
    since: '0.25',
    name: 'a map declaration',
    at: /^let\s+@/,
    instead: 'leave it out: maps need no declaration',
  },
  {
    since: '0.22',
    name: 'let',
    before: /(?:^|[{};\s])let\s*$/,
    at: /^\$/,
    instead: 'leave it out: an assignment is enough',
  },
  {
    since: '0.20',
    name: 'a config block',
    before: /\bconfig\s*$/,
    at: /^=/,
    instead: "the operator's environment sets the limits",
  },
  {
    since: '0.25',
    name: 'a macro',
    before: /\bmacro\s+\w+\s*$/,
    at: /^\(/,
    instead: '#define makes a plain one',
  },
  {
    since: '0.26',
    name: 'import',
    before: /\bimport\s*(?:"[^"]*")?\s*$/,
    at: /^["';]/,
    instead: 'write what it holds into the program',
  },
  {
    since: '0.24',
    name: 'a duration such as 5ms',
    at: /^\d+(?:ns|us|ms|s|m|h|d)\b/,
    instead: 'write nanoseconds',
  },
  { since: '0.26', name: '?:', before: /\?\s*$/, at: /^:/, instead: 'write the value between ? and :' },
  {
    since: '0.25',
    name: 'a record (a=1, b=2)',
    before: /=\s*\(\s*\w+\s*$/,
    at: /^=/,
    instead: 'use a tuple (1, 2) or several maps',
  },
  {
    since: '0.24',
    name: 'a condition without parentheses',
    before: /\b(?:if|while|unroll)\s*$/,
    at: /^[^(]/,
    instead: 'put it in ( )',
  },
];

/** Other languages' ways. The first that fits counts. */
export const HABITS: readonly Habit[] = [
  {
    at: /^\$\d+[A-Za-z_]/,
    hint: '$1 is a parameter of the command line: a variable begins with a letter, as in $x1',
  },
  { at: /^0x\b/, hint: 'digits are missing behind 0x' },
  { at: /^string\b/, hint: 'string is a type; text at an address is str(pointer)' },
  { before: /\btypedef\b[^;{}]*$/, hint: 'there is no typedef: define a struct, or use #define' },
  { before: /\/\s*$/, at: /^\//, hint: 'there is one predicate: join conditions with && inside / … /' },
  { at: /^'/, hint: 'text stands in double quotes: "…"' },
  {
    at: /^`/,
    hint: 'there are no backquotes: text stands in double quotes, maps are @name, variables $name',
  },
  {
    at: /^for\s*\(\s*\$?\w+\s*=/,
    hint: 'there is no for (;;): use $i = 0; while ($i < n) { …; $i++ } or unroll (n) { … }',
  },
  {
    before: /for\s*\(\s*\$\w+\s*$/,
    at: /^=/,
    hint: 'there is no for (;;): use $i = 0; while ($i < n) { …; $i++ } or unroll (n) { … }',
  },
  { before: /for\s*\(?\s*\$\w+\s*$/, at: /^in\b/, hint: 'write : for in, as in for ($kv : @map) { … }' },
  { before: /\b(?:if|while)\s*\([^{}]*\)\s*$/, at: /^[^{]/, hint: 'the statement needs braces: { … }' },
  { before: /\b(?:if|while)\s*\([^(){}]*$/, at: /^=/, hint: 'write == to compare' },
  { before: /\/[^/{}]*$/, at: /^=/, hint: 'write == to compare' },
  {
    before: /\b(?:if|while)\s*\([^{}]*$/,
    at: /^(?:and|or|not)\b/,
    hint: 'write && for and, || for or, ! for not',
  },
  { before: /\b(?:if|while)\s*\([^{}]*$/, at: /^\{/, hint: 'a ) is missing before it' },
  {
    before:
      /(?:^|[{};])\s*(?:unsigned\s+)?(?:int|long|char|short|bool|u?int\d+|u\d+|var|auto|const|string|size_t)\s*$/,
    at: /^\w/,
    hint: 'variables have no declared type: write $name = value',
  },
  {
    before: /(?:^|[{};])\s*(?:func|function|def)\s*$/,
    at: /^\w/,
    hint: 'there are no functions of your own: repeat the code, or use a #define',
  },
  { before: /(?:^|[{};])\s*[A-Za-z_]\w*\s*$/, at: /^=(?!=)/, hint: 'a variable begins with $, a map with @' },
  {
    before: /(?:^|[{};])\s*\d+\s*$/,
    at: /^=(?!=)/,
    hint: 'only a map (@name) or a variable ($name) can be assigned',
  },
  { before: /[$@]\w+\s*$/, at: /^:/, hint: 'assign with = alone' },
  { before: /[$@]\w+\s*$/, at: /^\{/, hint: 'keys stand in [ ]: @name[key]' },
  {
    before: /[$@]\w*\.\w+\s*$|^[$@]\w+\./,
    at: /^=|^[$@]\w+\.\w+\s*=/,
    hint: 'parts of a value cannot be assigned: keep each in a map of its own',
  },
  { before: /\$\w+\s*$/, at: /^\(/, hint: 'variables cannot be called' },
  {
    before: /\$\d+$|\$\d+\w*$/,
    at: /^\w/,
    hint: '$1 is a parameter of the command line: a variable begins with a letter, as in $x1',
  },
  { before: /=\s*$/, at: /^\+(?!\+)/, hint: 'write += to add' },
  { before: /,\s*$/, at: /^[)\]]/, hint: 'an argument is missing behind the comma' },
  { before: /"\s*$/, at: /^(?:"|[$@]?\w)/, hint: 'a comma is missing before it' },
  { before: /[+\-*/%&|^=<>(]\s*$/, at: /^[;)}\]]/, hint: 'a value is missing before it' },
  { before: /\[[^\][;{}]*$/, at: /^[=;})]/, hint: 'a ] is missing before it' },
  { before: /\([^();{}]*$/, at: /^[;}{]/, hint: 'a ) is missing before it' },
  { before: /\([^();{}]*\([^();{}]*\)[^();{}]*$/, at: /^[;}{]/, hint: 'a ) is missing before it' },
  { before: /;\s*$/, at: /^;/, hint: 'one ; is enough' },
  { at: /^else\b/, hint: 'else follows the } of an if' },
  { before: /\belse\s*$/, at: /^\{/, hint: 'else follows the } of an if' },
  {
    before: /["\d)]\s*$/,
    at: /^(?:\+\+|--)/,
    hint: 'only a map (@name) or a variable ($name) can be counted up',
  },
  {
    before: /(?:^|[{};])\s*[A-Za-z_]\w*\s*$/,
    at: /^\{/,
    hint: 'no such statement: if, else, while, unroll and (for maps) for begin a block',
  },
  { before: /(?:^|[{};])\s*[A-Za-z_]\w*\s*$/, at: /^:/, hint: 'there are no labels' },
  { at: /^[)\]]/, hint: 'it closes nothing: remove it' },
  { before: /[\w)\]"]\s*$/, at: /^[@$\w"]/, hint: 'a ; is missing before it' },
];
