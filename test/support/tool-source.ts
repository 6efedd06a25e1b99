/** What a bpftrace tool can print as lines, read from its source. */
export interface PrintedLines {
  /** Lines that BEGIN prints, always the first ones. */
  headerLines: number;
  /** One for each line that an action block puts together with time(), printf() and join(). */
  shapes: RegExp[];
}

const STRING = String.raw`"(?:[^"\\]|\\.)*"`;
const TOKEN = new RegExp(String.raw`${STRING}|\b(?:printf|time|join)\s*\(\s*(?:${STRING})?|[{}]`, 'gs');
const CALL = new RegExp(String.raw`^(printf|time|join)\s*\(\s*(${STRING})?`, 's');

export function printedLines(source: string): PrintedLines {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*(?:\/\/|#).*$/gm, '');
  const printed: PrintedLines = { headerLines: 0, shapes: [] };
  let depth = 0;
  let head = 0;
  let inBegin = false;
  let line = '';
  for (const token of code.matchAll(TOKEN)) {
    const [text] = token;
    if (text === '{' && depth++ === 0) {
      inBegin = /\bBEGIN\s*$/.test(code.slice(head, token.index));
    } else if (text === '}' && --depth === 0) {
      head = token.index + 1;
      if (line !== '') printed.shapes.push(whole(line));
      line = '';
    }
    const call = CALL.exec(text);
    if (!call) continue;
    const pieces = pattern(call[1] ?? '', call[2]).split('\n');
    for (const piece of pieces.slice(0, -1)) {
      if (inBegin) printed.headerLines++;
      else printed.shapes.push(whole(line + piece));
      line = '';
    }
    line += pieces.at(-1) ?? '';
  }
  return printed;
}

function whole(line: string): RegExp {
  return new RegExp(`^${line}$`, 's');
}

/** A call's output as the source of a regular expression; its newlines stay newlines. */
function pattern(name: string, quoted: string | undefined): string {
  if (name === 'join') return '.*\n';
  const format: string = quoted === undefined ? '%H:%M:%S\n' : JSON.parse(quoted);
  const literal = format.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (name === 'time') return literal.replace(/%[A-Za-z]/g, String.raw`\d+`);
  return literal.replace(/%-?\d*(?:\\\.\d+)?l*([a-zA-Z])/g, (_format, letter: string) => {
    if ('diu'.includes(letter)) return String.raw` *-?\d+ *`;
    if ('xXp'.includes(letter)) return ' *(?:0x)?[0-9a-fA-F]+ *';
    return '.*';
  });
}
