import type { Token } from '../../bpftrace/language/token.js';
import { numberOf } from '../number.js';
import type { ProgramText, Violation } from '../rule.js';

/** Turns of a loop within one event, nested ones multiplied. Two bpf_loop of 2^23 turns, nested, hold a processor for hours. */
const TURNS_MAX = 1_000_000;
/** A map's keys, by default. */
const MAP_TURNS = 4096;
/** After `unroll` and macros, each copied where it stands; bpftrace takes some 3 ms for each. */
const TOKENS_MAX = 30_000;

/** getopt() gives its default here: nobody passes options. */
const HARMLESS_IN_BOUNDS = /^(?:u?int\d+|getopt|\.\.|[-+(){},])$/;
const MACRO_DEPTH_MAX = 8;

/** What running and compiling a piece of the program costs at the most. */
interface Cost {
  /** Turns of its innermost loop. */
  turns: number;
  /** Tokens after expansion. */
  tokens: number;
}

/** How often a loop's body runs, and how often it is compiled. */
interface Factor {
  turns: number;
  copies: number;
}

/** Loops and copies, which a few lines can make endless. `while` is bounded by the kernel's verifier. */
export function* loops({ outline }: ProgramText): Iterable<Violation> {
  const macros = new Map<string, readonly Token[]>();
  for (const { kind, tokens } of outline.items) {
    if (kind === 'macro' || kind === 'function') macros.set(tokens[1]?.text ?? '', tokens.slice(2));
  }
  const costs = new Costs(macros);
  let tokens = 0;
  for (const { body, predicate } of outline.probes) {
    const cost = costs.of([...(predicate?.tokens ?? []), ...body.tokens]);
    tokens += cost.tokens;
    if (cost.turns > TURNS_MAX)
      yield tooMany(body.start, `loops take up to ${rounded(cost.turns)} turns within one event`);
    if (tokens > TOKENS_MAX) {
      yield tooMany(
        body.start,
        `the program grows to more than ${TOKENS_MAX} words with its unrolled loops and macros`,
      );
      return;
    }
  }
}

class Costs {
  private readonly known = new Map<string, Cost>();

  constructor(private readonly macros: ReadonlyMap<string, readonly Token[]>) {}

  of(tokens: readonly Token[]): Cost {
    const total: Cost = { turns: 1, tokens: 0 };
    /** Factors that hold up to the bracket that closes at their depth. */
    const open: (Factor & { depth: number })[] = [];
    let depth = 0;
    let pending: Factor | undefined;
    for (const [index, { kind, text }] of tokens.entries()) {
      if (text === '}') {
        if (open.at(-1)?.depth === depth) open.pop();
        depth--;
      }
      const own = kind === 'name' ? this.ofMacro(text) : undefined;
      total.turns = Math.max(total.turns, product(open, 'turns') * (own?.turns ?? 1));
      total.tokens += product(open, 'copies') * (own?.tokens ?? 1);
      if (kind === 'name' && (text === 'for' || text === 'unroll'))
        pending = this.ofLoop(text, headAfter(tokens, index));
      if (text !== '{') continue;
      depth++;
      if (pending) open.push({ depth, ...pending });
      pending = undefined;
    }
    return total;
  }

  private ofLoop(keyword: 'for' | 'unroll', head: readonly Token[] | undefined): Factor {
    if (keyword === 'unroll') return { turns: 1, copies: Math.max(1, this.upperBound(head)) };
    const bounds = head?.slice(head.findIndex(({ text }) => text === ':') + 1);
    if (bounds && !bounds.some(({ text }) => text === '..')) return { turns: MAP_TURNS, copies: 1 };
    return { turns: Math.max(1, this.upperBound(bounds)), copies: 1 };
  }

  /** Of the value of an expression of numbers, casts, sums and the program's own macros; of both ends of a range. */
  private upperBound(tokens: readonly Token[] | undefined, depth = 0): number {
    let sum = tokens ? 0 : Number.POSITIVE_INFINITY;
    for (const { kind, text } of tokens ?? []) {
      const macro = kind === 'name' ? this.macros.get(text) : undefined;
      if (kind === 'number') sum += numberOf(text) ?? Number.POSITIVE_INFINITY;
      else if (macro && depth < MACRO_DEPTH_MAX) sum += this.upperBound(macro, depth + 1);
      else if (!HARMLESS_IN_BOUNDS.test(text) && kind !== 'string') return Number.POSITIVE_INFINITY;
    }
    return sum;
  }

  private ofMacro(name: string): Cost | undefined {
    const body = this.macros.get(name);
    if (!body) return undefined;
    const known = this.known.get(name);
    if (known) return known;
    // Calls itself: bpftrace refuses it, and until then it costs nothing.
    this.known.set(name, { turns: 1, tokens: 1 });
    const cost = this.of(body);
    this.known.set(name, cost);
    return cost;
  }
}

/** What stands between a loop's keyword and its brace; undefined where another block stands there as well. */
function headAfter(tokens: readonly Token[], keyword: number): readonly Token[] | undefined {
  const length = tokens.slice(keyword).findIndex(({ text }) => text === '{');
  const head = tokens.slice(keyword + 1, keyword + Math.max(1, length));
  const open =
    head.filter(({ text }) => text === '(').length - head.filter(({ text }) => text === ')').length;
  const last = head.at(-1);
  return open === 0 && last && (last.kind !== 'symbol' || last.text === ')') ? head : undefined;
}

function product(factors: readonly Factor[], what: keyof Factor): number {
  return factors.reduce((all, factor) => all * factor[what], 1);
}

function rounded(turns: number): string {
  return Number.isFinite(turns) ? turns.toExponential(0) : 'any number of';
}

function tooMany(start: number, message: string): Violation {
  return {
    rule: 'size',
    message,
    allowed: `loops over numbers that are written out, ${TURNS_MAX} turns in all, nested ones multiplied and one over a map counted as ${MAP_TURNS}; unroll() and macros that stay below ${TOKENS_MAX} words`,
    start,
  };
}
