import { MAP_FUNCTIONS, type MapKind } from '../../contract/map.js';
import type { KeySpec, ProgramMap, ProgramMaps } from '../../contract/program-map.js';
import { ANY, closing, either, type Names, splitAt, typeOf, type ValueType } from './expressions.js';
import { outline } from './outline.js';
import { positionOf, type Token } from './token.js';
import { tokenize } from './tokenizer.js';

/**
 * What a program says of its maps: the function that each gets its values from, and what the parts of its keys
 * are. bpftrace's output tells neither. What is not certain is left out, of a program that is malformed all.
 */
export function programMaps(program: string): ProgramMaps {
  const tokens = tokenize(program);
  const outlined = outline(tokens);
  if (outlined.problem) return { maps: [] };
  const { items } = outlined;
  const config = items.filter(({ kind }) => kind === 'config').flatMap(item => item.tokens);
  const declarations = items.filter(({ kind }) => kind === 'declaration');
  const notCode = [...declarations, ...items.filter(({ kind }) => kind === 'macro')];
  const isCode = ({ start }: Token): boolean =>
    !notCode.some(item => item.start <= start && start < item.end);
  const reader = new ProgramReader(program, tokens.filter(isCode), definedNames(tokens));
  for (const { kind, tokens: declared } of items)
    if (kind === 'declaration') reader.readDeclaration(declared);
  return {
    maps: reader.maps(),
    keysMax: setting(config, 'max_map_keys'),
    stringBytesMax: setting(config, 'max_strlen'),
  };
}

const KINDS: ReadonlySet<string> = new Set(MAP_FUNCTIONS);
/** Of these, what a key counts is a number. */
const NUMBERS: ReadonlySet<string> = new Set<MapKind>(['count', 'sum', 'min', 'max', 'avg']);
const STEPS = new Set(['++', '--']);
const STEPPING_ASSIGNMENTS = new Set(['+=', '-=']);
const ASSIGNMENT = /^(?:[-+*/%&|^]|<<|>>)?=$/;
/** Maps that throw old keys away instead of refusing new ones. */
const NEVER_FULL = Number.MAX_SAFE_INTEGER;

/** What is found of one map. */
interface Found {
  places: string[];
  /** Functions assigned; '' for anything else. */
  assigned: Set<string>;
  values: (readonly Token[])[];
  stepped: boolean;
  /** Each bracket after its name. */
  keys: (readonly Token[])[];
  keysMax?: number | undefined;
}

class ProgramReader implements Names {
  private readonly found = new Map<string, Found>();
  private readonly variables = new Map<string, (readonly Token[])[]>();
  /** Names that are being looked up: `$x = $x + 1`. */
  private readonly open = new Set<string>();

  /** @param defined names of the preprocessor, which may stand for anything */
  constructor(
    private readonly program: string,
    private readonly tokens: readonly Token[],
    private readonly defined: ReadonlySet<string>,
  ) {
    for (const [i, token] of tokens.entries()) {
      if (token.kind === 'map') this.readMap(i, token);
      else if (token.kind === 'variable') this.readVariable(i, token);
    }
  }

  maps(): ProgramMap[] {
    return [...this.found].map(([name, found]) => ({
      name,
      kind: kindOf(found),
      ...(isAdditive(found) && { additive: true as const }),
      ...(isBuffer(found) && { buffer: true as const }),
      keys: this.keysOf(found),
      places: found.places,
      keysMax: found.keysMax,
    }));
  }

  /** `let @a = hash(100);` */
  readDeclaration(tokens: readonly Token[]): void {
    const name = tokens.find(({ kind }) => kind === 'map')?.text;
    const found = name === undefined ? undefined : this.found.get(name);
    const make = tokens.find(({ kind, text }) => kind === 'name' && text !== 'let')?.text ?? '';
    if (!found) return;
    const size = Number(tokens.find(({ kind }) => kind === 'number')?.text);
    if (make.startsWith('lru') || make.startsWith('percpulru')) found.keysMax = NEVER_FULL;
    else if (Number.isInteger(size)) found.keysMax = size;
  }

  variable(name: string): ValueType {
    return this.once(name, () => this.oneOf(this.variables.get(name) ?? []));
  }

  map(name: string): ValueType {
    const found = this.found.get(name);
    if (!found) return ANY;
    if (NUMBERS.has(kindOf(found) ?? '') || isAdditive(found)) return { type: 'int' };
    return this.once(name, () => this.oneOf(found.values));
  }

  private once(name: string, look: () => ValueType): ValueType {
    if (this.open.has(name)) return ANY;
    this.open.add(name);
    const type = look();
    this.open.delete(name);
    return type;
  }

  private oneOf(values: (readonly Token[])[]): ValueType {
    const [first = ANY, ...others] = values.map(value => this.type(value));
    return others.reduce(either, first);
  }

  private type(tokens: readonly Token[]): ValueType {
    return tokens.some(({ text }) => this.defined.has(text)) ? ANY : typeOf(tokens, this);
  }

  private readMap(index: number, { text: name, start }: Token): void {
    const found = this.found.get(name) ?? {
      places: [],
      assigned: new Set(),
      values: [],
      stepped: false,
      keys: [],
    };
    this.found.set(name, found);
    this.notePlace(found, start);
    let after = index + 1;
    if (this.tokens[after]?.text === '[') {
      const close = closing(this.tokens, after);
      found.keys.push(this.tokens.slice(after + 1, close));
      after = close + 1;
    }
    const operator = this.tokens[after]?.text ?? '';
    if (STEPS.has(operator) || STEPS.has(this.tokens[index - 1]?.text ?? '')) found.stepped = true;
    else if (STEPPING_ASSIGNMENTS.has(operator)) found.stepped = true;
    else if (ASSIGNMENT.test(operator)) this.readAssignment(found, operator, after + 1);
  }

  private readAssignment(found: Found, operator: string, from: number): void {
    const value = this.expressionAt(from);
    const [first, second] = value;
    const isCall = second?.text === '(' && closing(value, 1) === value.length - 1;
    const isKind = operator === '=' && isCall && KINDS.has(first?.text ?? '');
    found.assigned.add(isKind ? (first?.text ?? '') : '');
    // bpftrace takes the update for the function's.
    if (isKind && first) this.notePlace(found, first.start);
    if (!isKind) found.values.push(operator === '=' ? value : []);
  }

  private notePlace(found: Found, start: number): void {
    const { line, column } = positionOf(this.program, start);
    found.places.push(`${line}:${column}`);
  }

  private readVariable(index: number, { text: name }: Token): void {
    const operator = this.tokens[index + 1]?.text ?? '';
    if (!ASSIGNMENT.test(operator) && operator !== ':') return;
    const values = this.variables.get(name) ?? [];
    this.variables.set(name, values);
    // `for ($x : …)` and `let $x : uint64` say nothing that is used here.
    if (operator === '=') values.push(this.expressionAt(index + 2));
    else if (operator === ':') values.push([]);
  }

  /** Up to the end of the statement. */
  private expressionAt(from: number): readonly Token[] {
    let depth = 0;
    for (let i = from; i < this.tokens.length; i++) {
      const { kind, text } = this.tokens[i] ?? {};
      if (kind !== 'symbol') continue;
      if (depth === 0 && (text === ';' || text === '}' || text === ')')) return this.tokens.slice(from, i);
      if (text === '(' || text === '[' || text === '{') depth++;
      else if (text === ')' || text === ']' || text === '}') depth--;
    }
    return this.tokens.slice(from);
  }

  /** Undefined where it is not certain how many parts they have. */
  private keysOf(found: Found): KeySpec[] | undefined {
    if (found.keys.length === 0) return found.assigned.size > 0 || found.stepped ? [] : undefined;
    const all = found.keys.map(key => this.parts(key));
    const [first, ...others] = all;
    if (!first || others.some(parts => parts?.length !== first.length)) return undefined;
    return first.map((spec, i) =>
      others.reduce((whole: KeySpec, parts) => single(either(whole, parts?.[i] ?? ANY)), spec),
    );
  }

  private parts(key: readonly Token[]): KeySpec[] | undefined {
    if (key.some(({ text }) => this.defined.has(text))) return undefined;
    const parts = splitAt(key, ',');
    if (parts.length > 1) return parts.map(part => single(this.type(part)));
    const type = this.type(key);
    if (type !== 'tuple') return [type];
    // `@[(1, comm)]` is the same as `@[1, comm]`; of a tuple in a variable the parts are elsewhere.
    return key[0]?.text === '(' ? this.parts(key.slice(1, -1)) : undefined;
  }
}

function single(type: ValueType): KeySpec {
  return type === 'tuple' ? ANY : type;
}

function kindOf({ assigned, stepped }: Found): MapKind | undefined {
  const [only] = assigned;
  if (assigned.size === 0 && stepped) return 'scalar';
  if (assigned.size !== 1 || only === undefined) return undefined;
  return only === '' ? 'scalar' : (only as MapKind);
}

/** Nothing is assigned but zero, to begin with. */
function isAdditive({ assigned, values, stepped }: Found): boolean {
  const isZero = values.every(value => value.length === 1 && value[0]?.text === '0');
  return stepped && isZero && [...assigned].every(name => name === '');
}

function isBuffer({ assigned, values, stepped }: Found): boolean {
  const isCall = (value: readonly Token[]): boolean =>
    value[0]?.text === 'buf' && value[1]?.text === '(' && closing(value, 1) === value.length - 1;
  return !stepped && values.length > 0 && values.every(isCall) && [...assigned].every(name => name === '');
}

/** Names that `#define` gives another meaning. */
function definedNames(tokens: readonly Token[]): Set<string> {
  const directives = tokens.filter(({ kind }) => kind === 'directive');
  return new Set(directives.flatMap(({ text }) => /^#\s*define\s+(\w+)/.exec(text)?.[1] ?? []));
}

function setting(config: readonly Token[], name: string): number | undefined {
  const at = config.findIndex(({ text }) => text === name);
  const value = Number(config[at + 2]?.text);
  return at >= 0 && Number.isInteger(value) ? value : undefined;
}
