import type { DiagnosticCode } from './codes.js';

/**
 * What a message is about, by its words. Each row was seen with at least one of 0.17, 0.23 and 0.27, or stands
 * in their sources; the first that matches counts. The group `subject` is the name that the message is about,
 * as the program has it: the place is narrowed to it, and hints look for its like.
 */
const ROWS: readonly (readonly [DiagnosticCode, RegExp])[] = [
  ['bpftrace_bug', /^BUG|Assertion `|^\[?\.\/src\/|Please report this bug|std::\w+|filesystem error/],
  ['bpftrace_bug', /^basic_string|^vector::|^bad optional|^Unknown node|^No visitor/],

  // The text.
  ['syntax', /^(?:syntax: )?invalid escape character '(?<subject>[^']+)'/],
  ['syntax', /^syntax error|^syntax: |^unexpected end of file|^end of file during|^unterminated/],
  ['syntax', /^invalid character/],
  ['syntax', /^unable to expand macro|(?:break|continue) used outside|statement is not allowed in a probe/],
  [
    'syntax',
    /^No attach points for probe|^stoull$|literal.*(?:number|overflow|range)|is out of integer range/,
  ],
  ['include', /'(?<subject>[^']+)' file not found|^Unable to find suitable path for import/],
  ['config', /^Unrecognized config variable: (?<subject>\w+)|^(?<subject2>\w+): not a known configuration/],
  ['config', /^Invalid type for (?<subject>\w+)\. Type|^(?<subject2>\w+): expecting a /],

  // Probes, before names: some messages quote both.
  ['unknown_probe_type', /^Invalid probe type(?: made it to attachpoint parser|: (?<subject>\w+))/],
  ['unknown_probe_type', /No probe type matched for (?<subject>\w+)/],
  ['unknown_probe', /^tracepoints? not found: (?<subject>\S+)|^No matches for \w+ (?<subject2>.+)\.$/],
  ['unknown_probe', /^Probe does not exist: (?<subject>\S+)|^No probes to attach|has no valid attach points/],
  ['unknown_probe', /^(?<subject>\S+) is not a (?:software|hardware) probe|is not a supported signal/],
  [
    'missing_file',
    /target file '(?<subject>[^']*)' does not exist|No such file or directory: "(?<subject2>[^"]+)"/,
  ],
  ['missing_file', /for path: "(?<subject>[^"]+)"|^failed to open file '(?<subject2>[^']+)'/],
  ['missing_symbol', /Could not resolve symbol: (?<subject>[^,\s]+)|resolve kernel symbol: (?<subject2>\S+)/],
  ['missing_symbol', /^Could not resolve address: (?<subject>\S+)|^Offset outside the function bounds/],
  ['too_many_probes', /exceeds the current limit of \d+ (?:probes|BPF)|exceeds the current limit of \d+\.?$/],
  ['probe_skipped', /^could not attach probe (?<subject>\S+), skipping/],
  ['suspect', /^(?<subject>\S+) is not traceable|but matched \d+ binaries/],
  ['no_debuginfo', /^No (?:debuginfo|DWARF) found for/],
  ['probe_syntax', /probe type (?:requires|takes|does not support)|is not an accepted unit of time/],
  ['probe_syntax', /^Invalid (?:rate|count|offset|function|attachpoint)|should be a positive integer/],
  [
    'probe_syntax',
    /^More than one (?:BEGIN|END) probe|^watchpoint |^Offset not allowed|trailing (?:text|non-)/,
  ],
  [
    'probe_syntax',
    /should be attached to a function|should have a target|must have a |wildcards are not allowed/,
  ],
  [
    'probe_syntax',
    /asyncwatchpoint requires|invalid integer:|invalid trailing bytes|cannot be attached at function/,
  ],
  [
    'probe_syntax',
    /^-p PID or -c CMD required|can only have an integer|Only single iter|should not have a target/,
  ],

  // Names.
  ['unknown_function', /^Unknown function: '?(?<subject>\w+)'?/],
  [
    'unknown_struct',
    /^Unknown struct\/union: '(?<subject>[^']+)'|^Cannot resolve unknown type "(?<subject2>[^"]+)"/,
  ],
  ['unknown_struct', /^Unknown identifier: '(?<subject>(?:struct|union|enum) \w+)'/],
  ['unknown_name', /^Unknown identifier: '(?<subject>\w+)'/],
  ['unknown_variable', /^Undefined (?:or undeclared )?variable: (?<subject>\$\w+)/],
  ['unknown_map', /^Undefined map: (?<subject>@\w*)/],
  ['unknown_field', /does not contain a field named '(?<subject>\w+)'|has no field named '(?<subject2>\w+)'/],
  ['unknown_field', /^BPF does not support accessing common tracepoint fields/],

  // What is done with them.
  ['unsafe_required', /^(?<subject>\w+)(?:\(\))? is (?:an )?unsafe|unsafe function|needs? --unsafe/],
  [
    'unsupported_here',
    /not available for your kernel|could not read traceable functions|is not supported by your kernel/,
  ],
  ['no_btf', /^(?:BTF: |BTF data|No BTF|no BTF)|requires? .*BTF|vmlinux BTF/],
  ['deprecated', /^(?<subject>\w+)\*? is (?:deprecated|deleted)|deprecated|unstable feature/],
  [
    'wrong_probe',
    /^The (?<subject>\w+) (?:builtin|function) can|^(?<subject2>\w+)(?:\(\))? can ?not be used (?:with|for)/,
  ],
  [
    'wrong_probe',
    /can (?:only|not) be used (?:with|inside|within|for this)|^cpid cannot be used|^ctx cannot/,
  ],
  [
    'map_type',
    /^(?:Type|Argument) mismatch for (?<subject>@\w*)|^(?<subject2>@\w*) (?:used as a map|has no explicit)/,
  ],
  ['map_type', /^(?<subject>\w+)\(\) (?:should|must) be (?:directly )?assigned|^Tuple type mismatch/],
  ['type', /^Value 'void' cannot/],
  [
    'map_type',
    /^invalid mapkey|^Different lhist bounds|cannot be used as a map key|cannot be assigned (?:to|from) (?:a|one) /,
  ],
  [
    'map_type',
    /should not be indexed by a key|^Maps used as for-loop|expects a map without explicit|Map value/,
  ],
  ['map_type', /on expressions of type '(?:count|sum|min|max|avg|hist|lhist|stats)(?:_t)?'/],
  ['type', /^printf: %\S+ specifier|^unsupported format specifier|type passed to print\(\)/],
  ['type', /^Type mismatch for (?:'[^']+'|(?<subject>\$\w+))|operator can ?not be used|array index operator/],
  [
    'type',
    /^Can(?: ?not|'t) access (?:field|index) '?(?<subject>\w+)|^Cannot cast|^Invalid (?:condition|type)/,
  ],
  ['type', /^Invalid tuple index|^Tuples must be|^Ternary|should not be used in an assignment|out of bounds/],
  [
    'type',
    /^Invalid expression for assignment|^unable to fold literals|^Could not resolve the type|^Cannot assign/,
  ],
  ['arguments', /^(?:printf: )?(?:Not enough|Too many|not enough|too many) arguments for format/],
  [
    'arguments',
    /^(?:Call to )?(?<subject>\w+)\(\) (?:requires|takes|expects|only supports|has arguments|min |step |too)/,
  ],
  [
    'arguments',
    /^Builtin (?<subject>\w+) requires|^(?<subject2>[a-z]\w+)(?:\(\))?:? ?(?:cannot use|invalid|bits|expects)/,
  ],
  ['arguments', /is not a valid register|^Invalid timestamp mode|stack mode|^unroll m|^use \$#/],

  // The kernel.
  ['lockdown', /lockdown/i],
  ['stack_limit', /^in function (?<subject>\S+) .*BPF stack limit|BPF stack limit/],
  ['no_memory', /Cannot allocate memory|Error code: -12|ENOMEM/],
  ['permission', /only supports running as the root|required permissions|RLIMIT_MEMLOCK|Error code: -1 /],
  [
    'verifier',
    /^Error loading (?:BPF )?program(?: for|:) (?<subject>\S+?)[.,]?(?:\s|$)|helper (?:call|invalid)/,
  ],
  ['attach', /^Error attaching probe: '?(?<subject>[^'\s]+)|^Unable to attach probe: (?<subject2>\S+)\. If/],
  [
    'attach',
    /into middle of instruction: (?<subject>\S+)|in proper place.*: (?<subject2>\S+)|instruction boundary for (?<subject3>\S+)/,
  ],
  ['attach', /^perf_event_open|Unable to attach|iter probe link|watchpoint registers|attach/i],
  ['no_tracefs', /tracefs mounted|^Could not read symbols from/],
  ['load', /^Loading BPF object|^failed to create|Creation of the required BPF maps|failed to load/i],
  ['limit', /exceeds the (?:current )?(?:maximum|limit)|will be shortened|node count|too long|too big/],

  // Warnings.
  ['sign', /integers of different signs|being cast to type/],
  ['unused', /^Return value discarded|[Uu]nreachable|Unnecessary cast|^Unused|discarded/],
  ['truncated', /truncat/i],
  ['runtime', /^Failed to (?:probe_read|map_)|helper|Map full|can't update|can't delete/i],
  ['suspect', /asynchronous nature|Positional parameter|may contain garbage|always be (?:false|empty|true)/],
];

export interface Class {
  code: DiagnosticCode;
  subject?: string;
}

export function classify(message: string): Class {
  for (const [code, pattern] of ROWS) {
    const match = pattern.exec(message);
    if (!match) continue;
    const { subject, subject2, subject3 } = match.groups ?? {};
    const named = subject ?? subject2 ?? subject3;
    return { code, ...(named && { subject: named }) };
  }
  return { code: 'other' };
}
