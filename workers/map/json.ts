import { parseInteger } from '../../src/contract/integer.js';
import type { Integer } from '../../src/contract/map.js';

/**
 * Reads the JSON of one map. Not JSON.parse, since what bpftrace writes is not quite JSON, and since JSON.parse
 * would lose what matters: integers of 64 bits are bare digits (0.17, 0.23), two keys may read alike, and 0.17 does
 * not quote times of day, MAC addresses, error names and the like.
 *
 * The text is a character a byte (latin1), as it came; strings and keys are given back as they are written, escapes
 * and all, since keys need more repair than strings do.
 */
export type Json = Integer | boolean | null | JsonString | JsonWord | Json[] | JsonObject;

/** The body of a string, still escaped. */
export class JsonString {
  constructor(readonly body: string) {}
}
/** Something without quotes that is no JSON. */
export class JsonWord {
  constructor(readonly text: string) {}
}
/** In its order; two keys may be the same. Keys are bodies of strings, still escaped. */
export class JsonObject {
  constructor(readonly members: [key: string, value: Json][]) {}

  get(key: string): Json | undefined {
    return this.members.find(member => member[0] === key)?.[1];
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LITERALS = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** @throws SyntaxError */
export function parseJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value('end');
  reader.expectEnd();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  /** @param within what the value is a part of, which decides where a word without quotes ends */
  value(within: 'object' | 'array' | 'end'): Json {
    this.blanks();
    const char = this.text[this.at];
    if (char === '"') return new JsonString(this.string());
    if (char === '{') return this.object();
    if (char === '[') return this.array();
    return this.word(within);
  }

  expectEnd(): void {
    this.blanks();
    if (this.at < this.text.length) this.fail('the end');
  }

  private object(): JsonObject {
    const members: [string, Json][] = [];
    this.at++;
    this.blanks();
    while (this.text[this.at] !== '}') {
      if (this.text[this.at] !== '"') this.fail('a key');
      const key = this.string();
      this.blanks();
      if (this.text[this.at] !== ':') this.fail('a colon');
      this.at++;
      members.push([key, this.value('object')]);
      this.separator('}');
    }
    this.at++;
    return new JsonObject(members);
  }

  private array(): Json[] {
    const items: Json[] = [];
    this.at++;
    this.blanks();
    while (this.text[this.at] !== ']') {
      items.push(this.value('array'));
      this.separator(']');
    }
    this.at++;
    return items;
  }

  private separator(close: string): void {
    this.blanks();
    if (this.text[this.at] === ',') {
      this.at++;
      this.blanks();
    } else if (this.text[this.at] !== close) {
      this.fail(`a comma or ${close}`);
    }
  }

  private string(): string {
    const { text } = this;
    const start = this.at + 1;
    let i = start;
    for (let code = text.charCodeAt(i); code !== QUOTE; code = text.charCodeAt(i)) {
      if (i >= text.length) this.fail('a closing quote');
      i += code === BACKSLASH ? 2 : 1;
    }
    this.at = i + 1;
    return text.slice(start, i);
  }

  private word(within: 'object' | 'array' | 'end'): Json {
    const start = this.at;
    this.at = this.wordEnd(within);
    const word = this.text.slice(start, this.at).trim();
    if (word === '') this.fail('a value');
    const integer = parseInteger(word);
    if (integer !== undefined) return integer;
    const literal = LITERALS.get(word);
    return literal === undefined ? new JsonWord(word) : literal;
  }

  /** A comma may be within a word of an object: `{"a": Sun, 29 Nov, "b": Mon, 30 Nov}`. */
  private wordEnd(within: 'object' | 'array' | 'end'): number {
    const { text } = this;
    if (within === 'end') return text.length;
    for (let i = this.at; i < text.length; i++) {
      const char = text[i];
      if (char === '}' || char === ']') return i;
      if (char !== ',') continue;
      if (within === 'array' || /^,\s*"/.test(text.slice(i, i + 4))) return i;
    }
    return text.length;
  }

  private blanks(): void {
    for (let code = this.text.charCodeAt(this.at); code === 0x20 || (code >= 0x09 && code <= 0x0d); )
      code = this.text.charCodeAt(++this.at);
  }

  private fail(expected: string): never {
    throw new SyntaxError(`expected ${expected} at ${this.at}`);
  }
}
