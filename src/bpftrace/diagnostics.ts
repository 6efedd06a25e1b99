import { z } from 'zod';

/**
 * bpftrace's words on standard error, as diagnostics. The form is the same from 0.17 to 0.27:
 *
 *   stdin:1:20-21: ERROR: syntax error, unexpected }, expecting ) or ","
 *   BEGIN { printf("x" }
 *                      ~
 *
 * with or without a position, and with plain lines of libbpf or the verifier in between.
 */
export const diagnosticSchema = z.object({
  severity: z.enum(['error', 'warning', 'note']),
  message: z.string(),
  line: z.number().int().optional().describe('1-based, in the program as submitted'),
  column: z.number().int().optional(),
  end_column: z.number().int().optional().describe('one past the last column'),
  excerpt: z.string().optional().describe('the line of the program'),
  noise: z.literal(true).optional().describe('said on every run of this host; not the cause'),
});
export type Diagnostic = z.output<typeof diagnosticSchema>;

const POSITION = /^(?:stdin|\/dev\/stdin):(\d+)(?::(\d+)(?:-(\d+))?|-(\d+))?: /;
/** clang, on what a program includes: the place is in a header, not in the program. */
const CLANG = /^\S+:\d+:\d+: (?:fatal )?(error|warning): /;
const SEVERITY = /^(ERROR|WARNING|HINT|INFO): ?/;
const UNDERLINE = /^\s*[~^]+\s*$/;

/** What a healthy run says too. Each entry names the version and the condition that it was seen with. */
const NOISE: readonly RegExp[] = [
  // 0.17 (as ERROR), 0.23 and 0.27 (as WARNING): RLIMIT_MEMLOCK can't be raised; kernels since 5.11 don't need it.
  /couldn't set RLIMIT_MEMLOCK/,
  // 0.23, 0.27: kernels without kprobes have no such file.
  /Could not read (?:functions|symbols) from .*available_filter_functions/,
  // 0.17 with LLVM 14, on every program with a pointer cast.
  /^Addrspace is not set$/,
  // 0.17, at the end of a run with uprobes.
  /^(?:ioctl\(PERF_EVENT_IOC_DISABLE\)|close perf event FD) failed: Bad file descriptor$/,
  /^failed to close perf event FDs for probe: /,
  // At the end of a run whose probe was skipped when attaching.
  /^failed to detach probe: /,
  /^open\(.*kprobe_events\): No such file or directory$/,
];

export function parseDiagnostics(stderr: string): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  let open: Diagnostic | undefined;
  const lines = stderr.split('\n');
  for (const [index, text] of lines.entries()) {
    const position = POSITION.exec(text);
    const rest = position ? text.slice(position[0].length) : text;
    const severity = SEVERITY.exec(rest);
    if (severity) {
      open = {
        severity: severity[1] === 'ERROR' ? 'error' : severity[1] === 'WARNING' ? 'warning' : 'note',
        message: rest.slice(severity[0].length),
        ...(position && positionOf(position)),
      };
      diagnostics.push(open);
    } else if (UNDERLINE.test(text)) {
      open = undefined;
    } else if (
      open?.line !== undefined &&
      open.excerpt === undefined &&
      UNDERLINE.test(lines[index + 1] ?? '')
    ) {
      open.excerpt = withTabs(text, lines[index + 1] ?? '', open.column);
    } else if (text.trim() !== '') {
      const clang = CLANG.exec(text)?.[1];
      diagnostics.push({
        severity: clang === 'error' || clang === 'warning' ? clang : 'note',
        message: text,
      });
    }
  }
  for (const diagnostic of diagnostics) {
    inCharacters(diagnostic);
    if (NOISE.some(pattern => pattern.test(diagnostic.message))) diagnostic.noise = true;
  }
  return diagnostics;
}

/** bpftrace counts columns in bytes, readers of the excerpt in characters. */
function inCharacters(diagnostic: Diagnostic): void {
  const bytes = Buffer.from(diagnostic.excerpt ?? '');
  const character = (column: number): number => bytes.subarray(0, column - 1).toString().length + 1;
  if (bytes.length === diagnostic.excerpt?.length || diagnostic.column === undefined) return;
  diagnostic.column = character(diagnostic.column);
  if (diagnostic.end_column !== undefined) diagnostic.end_column = character(diagnostic.end_column);
}

/** bpftrace shows a tab as four blanks, but counts it as one column. With the tabs put back, column and excerpt agree. */
function withTabs(excerpt: string, underline: string, column: number | undefined): string {
  const shift = underline.search(/\S/) - ((column ?? 1) - 1);
  let tabs = shift > 0 && shift % 3 === 0 ? shift / 3 : 0;
  return excerpt.replace(/ {4}/g, blanks => (tabs-- > 0 ? '\t' : blanks));
}

function positionOf(match: RegExpExecArray): Pick<Diagnostic, 'line' | 'column' | 'end_column'> {
  const [, line, column, endColumn] = match;
  return {
    line: Number(line),
    ...(column !== undefined && { column: Number(column) }),
    ...(endColumn !== undefined && { end_column: Number(endColumn) }),
  };
}

/** The diagnostics worth showing: all of them for a failure, with the noise last; without it otherwise. */
export function worthShowing(diagnostics: readonly Diagnostic[], failed: boolean): Diagnostic[] {
  const telling = diagnostics.filter(diagnostic => !diagnostic.noise);
  return failed ? [...telling, ...diagnostics.filter(diagnostic => diagnostic.noise)] : telling;
}

/** The first error in one line: `1:20: syntax error, …`; else the first thing said at all. */
export function headline(diagnostics: readonly Diagnostic[]): string | undefined {
  const telling = diagnostics.filter(diagnostic => !diagnostic.noise);
  const errors = telling.filter(diagnostic => diagnostic.severity === 'error');
  // bpftrace's own error says what clang's errors before it come to.
  const first =
    errors.find(({ message }) => !CLANG.test(message)) ?? errors[0] ?? telling[0] ?? diagnostics[0];
  if (!first) return undefined;
  const place = first.line === undefined ? '' : `${first.line}:${first.column ?? 1}: `;
  return place + first.message;
}
