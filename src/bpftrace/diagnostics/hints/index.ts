import type { DiagnosticCode } from '../codes.js';
import { type Context, findings } from '../diagnose.js';
import type { Diagnostic } from '../diagnostic.js';
import { type Finding, published } from '../finding.js';
import { ProgramText } from '../text.js';
import type { Adviser, DiagnosticHost } from './advice.js';
import { unknownField, unknownStruct } from './fields.js';
import { notAttached, stackFull, unsupportedHere, verifierRefused } from './kernel.js';
import { unknownFunction, unknownMap, unknownName, unknownVariable } from './names.js';
import { missingFile, missingSymbol, probeSyntax, tooManyProbes } from './probe-parts.js';
import { unknownProbe, unknownProbeType } from './probes.js';
import { syntaxError } from './syntax.js';
import { SAFE_MODE, wrongArguments, wrongMapType, wrongProbe, wrongType } from './types.js';

const always =
  (hint: string): Adviser =>
  () => ({ hint });

const badC: Adviser = ({ finding: { message } }) => {
  if (/redefinition/.test(message)) return { hint: 'it is defined twice: remove one' };
  if (/preprocessing directive/.test(message)) return { hint: 'use #include, #define, #if and the like' };
  if (/unterminated conditional/.test(message)) return { hint: 'an #endif is missing' };
  return {
    hint: 'define every type that you use, or use plain ones (int, unsigned long, char[16]); kernel types are there by BTF',
  };
};

const ADVISERS: Partial<Record<DiagnosticCode, Adviser>> = {
  syntax: syntaxError,
  include: ({ finding }) =>
    /import/.test(finding.message)
      ? { hint: 'only what comes with bpftrace can be imported' }
      : {
          hint: "leave it out: the kernel's types are there without it (BTF), constants can be written as numbers",
        },
  c_code: badC,
  config: always('leave the setting out: the operator sets the limits'),
  unknown_function: unknownFunction,
  unknown_name: unknownName,
  unknown_variable: unknownVariable,
  unknown_map: unknownMap,
  unknown_struct: unknownStruct,
  unknown_field: unknownField,
  type: wrongType,
  map_type: wrongMapType,
  arguments: wrongArguments,
  wrong_probe: wrongProbe,
  unsafe_required: always(SAFE_MODE),
  unknown_probe_type: unknownProbeType,
  probe_syntax: probeSyntax,
  unknown_probe: unknownProbe,
  missing_file: missingFile,
  missing_symbol: missingSymbol,
  no_debuginfo: always(
    'without debug information there are no args here: use arg0, arg1, …, and retval in a uretprobe',
  ),
  too_many_probes: tooManyProbes,
  attach: notAttached,
  unsupported_here: unsupportedHere,
  no_btf: always('this kernel has no BTF: define the struct in the program, and use tracepoints'),
  permission: always('call bpf_info: it says which privilege is missing'),
  lockdown: always('kernel lockdown forbids tracing: boot with it off, or in integrity mode'),
  no_memory: always('fewer or smaller maps; the operator can raise the limit of locked memory (ulimit -l)'),
  verifier: verifierRefused,
  stack_limit: stackFull,
  bpftrace_bug: always('bpftrace itself failed: say it in another way'),
};

/** Whether a hint is looked for. */
export function isAdvised({
  severity,
  code,
  noise,
}: Pick<Diagnostic, 'severity' | 'code' | 'noise'>): boolean {
  // 0.23 ends after a warning that there is no debug information.
  return !noise && (severity === 'error' || code === 'no_debuginfo');
}

/**
 * bpftrace's words as diagnostics with hints, each looked for on this host. Only errors are explained: a
 * program that runs needs no advice, and some hints ask bpftrace for its probes.
 */
export async function explain(stderr: string, context: Context, host: DiagnosticHost): Promise<Diagnostic[]> {
  const text = new ProgramText(context.program ?? '');
  const all = findings(stderr, context, text);
  const advised = await Promise.all(
    all.map(async (finding): Promise<Finding> => {
      if (!isAdvised(finding)) return finding;
      const adviser = ADVISERS[finding.code];
      const advice = await adviser?.({ finding, text, version: context.version, host });
      // bpftrace's own hint stays where we have none.
      const advised = advice ? { ...finding, ...advice } : finding;
      // How it failed tells no more, once it is known that the kernel has no such thing.
      return advised.code === 'unsupported_here' ? { ...advised, notes: [] } : advised;
    }),
  );
  const lacksIt = advised.some(({ code }) => code === 'unsupported_here');
  // Nothing is traceable on a kernel without kprobes: to say so of each function tells no more.
  return advised.filter(each => !lacksIt || each.code !== 'suspect').map(published);
}
