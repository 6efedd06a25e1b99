import type { Item } from '../../bpftrace/language/outline.js';
import { stringValue, type Token } from '../../bpftrace/language/token.js';
import { numberOf } from '../number.js';
import type { ProgramText, Violation } from '../rule.js';

/** Sixteen times what bpftrace has by default; a map of so many short keys takes some megabytes. */
const MAP_KEYS_MAX = 65_536;

/** The largest value of each setting that takes a number. Those not in any list are refused. */
const NUMBERS: Readonly<Record<string, number>> = {
  log_size: 4_000_000,
  max_bpf_progs: 1024,
  max_cat_bytes: 65_536,
  max_map_keys: MAP_KEYS_MAX,
  max_probes: 1024,
  max_strlen: 1024,
  max_type_res_iterations: 100,
  on_stack_limit: 256,
  /** Of each processor's buffer, in pages. */
  perf_rb_pages: 1024,
};
const CHOICES: ReadonlySet<string> = new Set([
  'cache_user_symbols',
  'cpp_demangle',
  'lazy_symbolication',
  'license',
  'missing_probes',
  'print_maps_on_exit',
  'probe_inline',
  'show_debug_info',
  'stack_mode',
  'str_trunc_trailer',
  'symbol_source',
  'use_blazesym',
]);

export function* limits({ outline }: ProgramText): Iterable<Violation> {
  for (const item of outline.items) {
    if (item.kind === 'config') yield* judgeConfig(item);
    if (item.kind === 'declaration') yield* judgeDeclaration(item);
  }
}

/** `config = { a = 1; b = "c" }`; 0.23 also takes `BPFTRACE_A` and `A` for `a`. */
function* judgeConfig({ tokens }: Item): Iterable<Violation> {
  for (const [index, { kind, text, start }] of tokens.entries()) {
    if (kind !== 'name' || tokens[index + 1]?.text !== '=' || index === 0) continue;
    const name = text.toLowerCase().replace(/^bpftrace_/, '');
    const max = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
    const value = numberIn(tokens[index + 2]);
    if (
      CHOICES.has(name) ||
      name.startsWith('unstable_') ||
      (max !== undefined && value !== undefined && value <= max)
    )
      continue;
    yield {
      rule: 'config',
      message:
        max === undefined
          ? `the setting ${text} is not among those a program may change`
          : `${text} may not be raised above ${max}`,
      allowed:
        max === undefined ? [...Object.keys(NUMBERS), ...CHOICES].join(', ') : `${name} = ${max} at most`,
      start,
    };
  }
}

/** `let @a = hash(5);` */
function* judgeDeclaration({ tokens, start }: Item): Iterable<Violation> {
  const numbers = tokens.filter(({ kind }) => kind === 'number');
  if (tokens.length === 8 && numbers.length === 1 && (numberIn(numbers[0]) ?? Infinity) <= MAP_KEYS_MAX)
    return;
  yield {
    rule: 'size',
    message: `a map is declared with more than ${MAP_KEYS_MAX} keys, or not with a number of them`,
    allowed: `let @a = hash(${MAP_KEYS_MAX}); at most`,
    start,
  };
}

function numberIn(token: Token | undefined): number | undefined {
  if (token?.kind === 'number') return numberOf(token.text);
  return token?.kind === 'string' ? numberOf(stringValue(token)) : undefined;
}
