import type { Token } from './token.js';

/** What begins an item of a program that is no probe. `__attribute__` may follow a definition from 0.26 on. */
const OTHER_ITEMS: ReadonlySet<string> = new Set(['config', 'import', 'let', 'macro', 'fn', '__attribute__']);
/** Probes whose second part is the path of a file, by their names and short forms. */
export const FILE_PROVIDERS: ReadonlySet<string> = new Set(['uprobe', 'u', 'uretprobe', 'ur', 'usdt', 'U']);
const BETWEEN_ITEMS: ReadonlySet<Token['kind']> = new Set(['name', 'directive', 'definition', 'shebang']);

/**
 * Where in a program the tokenizer stands. The language needs it in one respect: inside an attach point a colon
 * is followed by a path, in which `/*` and `//` are no comments.
 *
 *   item       between the items of a program; a name leads to `attach` or to `other`
 *   attach     in a list of attach points; `/` leads to the predicate, `{` to the body
 *   predicate  up to the `{` of the body
 *   body       up to the `}` that closes it, then `item`
 *   other      in a config block, function, macro, import or map declaration; its `}` or `;` leads to `item`
 */
export class PlaceInProgram {
  private where: 'item' | 'attach' | 'predicate' | 'body' | 'other' = 'item';
  /** Of brackets that are open. */
  private depth = 0;
  /** The last symbol or name; '' at the beginning of an item. */
  private previous = '';
  private provider = '';
  private colons = 0;
  private isPredicateEmpty = false;

  get isBetweenItems(): boolean {
    return this.where === 'item';
  }

  /** Also behind the last of them, before a predicate; not behind the comma that leads to the next. */
  get isInsideAttachPoint(): boolean {
    return this.where === 'attach' && this.previous !== ',';
  }

  get isInsideBraces(): boolean {
    return this.where === 'body' && this.depth > 0;
  }

  get expectsPath(): boolean {
    return this.where === 'attach' && this.previous === ':';
  }

  get isBehindParenthesis(): boolean {
    return this.previous === '(';
  }

  /** From 0.25 on a block may be an expression, also in a predicate; earlier it begins the body. */
  get mayOpenBrace(): boolean {
    return this.where !== 'predicate' || (this.previous === '/' && !this.isPredicateEmpty);
  }

  /**
   * Whether all versions read this as one path. `/*` and `//` may be part of it where it names a file and no `+`
   * stands before them (which 0.17 takes for the path's end).
   */
  isPlainPath(path: string): boolean {
    const comment = path.search(/\/[/*]/);
    if (comment < 0) return true;
    return FILE_PROVIDERS.has(this.provider) && this.colons === 1 && !path.slice(0, comment).includes('+');
  }

  /** Whether `token` may stand here: an item begins with a name, and a `;` may end a definition. */
  accepts({ kind, text }: Token): boolean {
    return this.where !== 'item' || BETWEEN_ITEMS.has(kind) || text === ';';
  }

  enter({ kind, text }: Token): void {
    if (this.where === 'item') {
      if (kind !== 'name') return;
      this.where = OTHER_ITEMS.has(text) ? 'other' : 'attach';
      this.depth = 0;
      this.colons = 0;
      this.provider = text;
    } else if (kind === 'symbol') {
      if (this.where === 'attach') this.enterAttachSymbol(text);
      else this.enterNestedSymbol(text);
    } else {
      this.isPredicateEmpty = false;
      if (this.provider === '') this.provider = text;
    }
    this.previous = kind === 'string' ? '"' : text;
  }

  private enterAttachSymbol(text: string): void {
    if (text === ',' || text === '@') {
      this.provider = '';
      this.colons = 0;
    } else if (text === ':') {
      this.colons++;
    } else if (text === '/') {
      this.where = 'predicate';
      this.isPredicateEmpty = true;
    } else if (text === '{') {
      this.where = 'body';
      this.depth = 1;
    }
  }

  private enterNestedSymbol(text: string): void {
    this.isPredicateEmpty = false;
    if (text === '{' && this.where === 'predicate') this.where = 'body';
    if (text === '{' || text === '(') this.depth++;
    else if (text === '}' || text === ')') this.depth--;
    if (this.depth <= 0 && this.isEndedBy(text)) this.where = 'item';
  }

  private isEndedBy(text: string): boolean {
    if (this.provider === '__attribute__') return text === ')';
    return text === '}' || (text === ';' && this.where === 'other');
  }
}
