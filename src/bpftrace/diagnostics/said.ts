/**
 * bpftrace's words on standard error, taken apart. The form is the same from 0.17 to 0.27:
 *
 *   stdin:1:20-21: ERROR: syntax error, unexpected }, expecting ) or ","
 *   BEGIN { printf("x" }
 *                      ~
 *
 * with or without a place. 0.27 names its own library (`stdlib/base.bt:310:3-34: ERROR: …`) and then, in lines
 * that say `expanded from`, how the program came there. Between them stand lines of libbpf, of LLVM, of clang
 * (`definitions.h:2:10: fatal error: …`, about the preamble) and of the kernel's verifier.
 */

/** A place as bpftrace counts: lines and columns from 1, columns in bytes, the end one past the last. */
export interface Span {
  line: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
}

/** One thing said. */
export interface Said {
  severity: 'error' | 'warning' | 'note';
  message: string;
  /** In the program; of clang, in `file`. Absent where nothing was said, or a place in bpftrace's library. */
  span?: Span;
  /** That clang speaks of: `definitions.h` is the preamble, as bpftrace gives it to clang. */
  file?: string;
  /** Who speaks, where it is not bpftrace about the program: its library, clang about the preamble. */
  from?: 'library' | 'clang';
  notes: string[];
  /** bpftrace's own `HINT:`. */
  hint?: string;
  /** Lines of the kernel's verifier. */
  log?: string[];
}

const PROGRAM = /^(?:stdin|\/dev\/stdin):(\d+)(?::(\d+)(?:-(\d+))?|-(\d+))?: (ERROR|WARNING): ?(.*)$/;
const LIBRARY = /^[\w./-]+\.bt:\d+\S*: (ERROR|WARNING): ?(.*)$/;
const CLANG = /^(\S+\.h):(\d+):(\d+): (fatal error|error|warning|note): (.*)$/;
const LLVM = /^error: <unknown>:0:0: (in function .*)$/;
/** bpftrace's own end: an exception that nobody caught, an assertion. */
const CRASH = /^(?:\s+what\(\):\s+|bpftrace: (?=\S+:\d+: )|(?=BUG\b))(.*)$/;
const CRASH_BEGINS = /^terminate called /;
const PLAIN = /^(ERROR|FATAL|WARNING|HINT|INFO): ?(.*)$/;
const UNDERLINE = /^\s*[~^][\s~^]*$/;
const LOG_BEGINS = /^(?:Error log: ?|Kernel error log: ?|The verifier log: ?|-- BEGIN PROG LOAD LOG --)$/;
/** A line of the verifier: an instruction, a state, a source line, or its summary. */
const LOG_ENDS = /^(?:ERROR|WARNING|stdin:|\/dev\/stdin:|-- END PROG LOAD LOG --)/;

/** A warning that lines of libbpf come before, as they do before errors. */
const COMES_LAST = /^could not attach probe /;
/** Continues the error before it. */
const CONTINUES =
  /^(?:You can increase the limit|Use --unsafe to force|Invalid (?:rate|count) |environment variable|modprobe kheaders)/;
/** 0.27 gives these as errors: they explain the one before. */
const EXPLAINS =
  /^(?:left \(|right \(|This is the |The closest definition|Mismatched arg|expanded from$|invalid watchpoint mode)/;

export function readSaid(stderr: string, program: string): Said[] {
  return new Reader(program).read(stderr.split('\n'));
}

/** What begins a message. */
interface Head {
  word: string;
  message: string;
  /** Whose lines of source may follow. */
  where: 'none' | 'program' | 'library' | 'clang';
  span?: Span;
  file?: string;
}

function headOf(text: string): Head | undefined {
  const inProgram = PROGRAM.exec(text);
  if (inProgram) {
    const [, , , , , word = '', message = ''] = inProgram;
    return { word, message, where: 'program', span: spanOf(inProgram) };
  }
  const ofClang = CLANG.exec(text);
  if (ofClang) {
    const [, file = '', line, column, word = '', message = ''] = ofClang;
    return { word, message, where: 'clang', file, span: { line: Number(line), column: Number(column) } };
  }
  for (const [where, pattern] of [
    ['library', LIBRARY],
    ['none', PLAIN],
  ] as const) {
    const [, word = '', message = ''] = pattern.exec(text) ?? [];
    if (word !== '') return { word, message: message.replace(/^Failed to compile: /, ''), where };
  }
  const [, uncaught] = CRASH.exec(text) ?? LLVM.exec(text) ?? [];
  return uncaught === undefined ? undefined : { word: 'ERROR', message: uncaught, where: 'none' };
}

function severityOf(word: string): Said['severity'] {
  if (/ERROR|FATAL|error/.test(word)) return 'error';
  return /WARNING|warning/.test(word) ? 'warning' : 'note';
}

class Reader {
  private readonly all: Said[] = [];
  /** Lines without a severity, for the error that follows them: libbpf says why before bpftrace says what. */
  private pending: string[] = [];
  private readonly programLines: ReadonlySet<string>;
  private open: Said | undefined;
  private echo: Head['where'] = 'none';

  constructor(program: string) {
    this.programLines = new Set(program.split('\n').map(shown));
  }

  read(lines: readonly string[]): Said[] {
    for (let at = 0; at < lines.length; at++) {
      const text = lines[at] ?? '';
      if (LOG_BEGINS.test(text)) {
        const end = lines.findIndex((line, index) => index > at && LOG_ENDS.test(line));
        const log = lines.slice(at + 1, end < 0 ? undefined : end).filter(line => line.trim() !== '');
        this.takeLog(log);
        at = (end < 0 ? lines.length : end) - 1;
      } else if (text.trim() !== '') {
        this.take(text, lines[at + 1] ?? '');
      }
    }
    for (const message of this.pending) this.all.push({ severity: 'note', message, notes: [] });
    return this.all;
  }

  private take(text: string, next: string): void {
    const head = headOf(text);
    if (head?.word === 'HINT') {
      this.takeHint(head.message);
    } else if (head) {
      this.begin(head);
    } else if (!this.isEcho(text, next) && !CRASH_BEGINS.test(text)) {
      if (this.open && CONTINUES.test(text)) {
        this.open.notes.push(text.trim());
      } else {
        this.echo = 'none';
        this.pending.push(text);
      }
    }
  }

  private begin({ word, message, where, span, file }: Head): void {
    const severity = severityOf(word);
    this.echo = where;
    const before = this.open;
    if (before && message === 'expanded from') {
      // The last one, outermost, is the program's.
      if (before.from && span) before.span = span;
      return;
    }
    if (before && (EXPLAINS.test(message) || (where === 'clang' && severity === 'note'))) {
      before.notes.push(message);
      return;
    }
    const said: Said = { severity, message, notes: [], ...(span && { span }), ...(file && { file }) };
    if (where === 'library' || where === 'clang') said.from = where;
    if (severity === 'error' || COMES_LAST.test(message)) said.notes.push(...this.pending.splice(0));
    this.open = said;
    this.all.push(said);
  }

  /** The lines of source under a message, and the underline. */
  private isEcho(text: string, next: string): boolean {
    if (this.echo === 'none') return false;
    if (UNDERLINE.test(text)) {
      this.echo = 'none';
      return true;
    }
    if (this.echo === 'library') return true;
    return UNDERLINE.test(next) || (this.echo === 'program' && this.programLines.has(text));
  }

  private takeHint(text: string): void {
    if (this.open) this.open.hint = this.open.hint ? `${this.open.hint} ${text}` : text;
    else this.pending.push(text);
  }

  /** 0.17 shows the log before its error, 0.23 and 0.27 behind it. */
  private takeLog(log: string[]): void {
    if (this.open && /^Error loading/.test(this.open.message)) this.open.log = log;
    else this.all.push({ severity: 'note', message: LOG_FIRST, notes: [], log });
  }
}

/** Stands for a log that came before its error. */
export const LOG_FIRST = 'the verifier log';

function spanOf([, line, column, endColumn, endLine]: RegExpExecArray): Span {
  return {
    line: Number(line),
    ...(column !== undefined && { column: Number(column) }),
    ...(endColumn !== undefined && { endColumn: Number(endColumn) }),
    ...(endLine !== undefined && { endLine: Number(endLine) }),
  };
}

/** As bpftrace shows a line. */
function shown(line: string): string {
  return line.replace(/\t/g, '    ');
}
