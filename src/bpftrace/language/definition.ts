import type { PlaceInProgram } from './place.js';
import type { Piece } from './token.js';

/**
 * `struct`, `union` and `enum`. bpftrace up to 0.23 has a second lexer for what follows them: it takes everything
 * up to a `*`, a `)` or a `{` for the type's name, and counts a body's braces without knowing comments or strings.
 * Read here is what means the same to that one and to 0.27.
 */

const HEAD = /(?:struct|union|enum)(?:\s+[A-Za-z_]\w*)?\s*/y;
/** In parentheses: a cast, sizeof(struct a[3]), offsetof(struct a, b.c). */
const REST_OF_TYPE = /[\w\s,.[\]]*[*)]/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;

/** Reads the keyword at `at`: alone (the type's name is a token of its own), or with the body of a definition. */
export function readDefinition(program: string, at: number, keyword: string, place: PlaceInProgram): Piece {
  HEAD.lastIndex = at;
  const head = HEAD.exec(program)?.[0] ?? keyword;
  const behind = at + head.length;
  if (program[behind] === '{') {
    if (!place.isBetweenItems) return ambiguous(`a ${keyword} defined in the middle of something else`);
    return readBody(program, at, behind, keyword);
  }
  if (place.isBetweenItems || place.isInsideAttachPoint) return ambiguous(`a ${keyword} without a body`);
  REST_OF_TYPE.lastIndex = behind;
  const isType = place.isBehindParenthesis ? REST_OF_TYPE.test(program) : head.trimEnd() !== keyword;
  return isType ? { kind: 'name', text: keyword } : ambiguous(`a ${keyword} without a plain name`);
}

function readBody(program: string, start: number, brace: number, keyword: string): Piece {
  let depth = 0;
  for (let at = brace; at < program.length; at++) {
    COMMENT.lastIndex = at;
    const comment = COMMENT.exec(program)?.[0];
    const character = program[at];
    if (comment !== undefined) {
      if (/[{}]/.test(comment)) return ambiguous(`a comment with a brace in a ${keyword}`);
      at += comment.length - 1;
    } else if (character === '{') depth++;
    else if (character === '}') {
      if (--depth === 0) return { kind: 'definition', text: program.slice(start, at + 1) };
    } else if (character === '"' || character === "'" || character === '#') {
      return ambiguous(`the character ${character} in a ${keyword}`);
    }
  }
  return ambiguous(`a ${keyword} that has no end`);
}

function ambiguous(problem: string): Piece {
  return { problem, isTakenBySome: true };
}
