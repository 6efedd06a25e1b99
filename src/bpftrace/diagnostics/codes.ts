/**
 * What a diagnostic is about, in our words: bpftrace's own change with its version. An agent branches on the
 * code and reads the message; the list is pinned by a test.
 */
export const DIAGNOSTIC_CODES = [
  // The text.
  'syntax',
  'include', // a header that is not there
  'c_code', // clang's errors on structs and macros of the preamble
  'config', // a setting of a config block
  'version', // right in another release of bpftrace
  // Names.
  'unknown_function',
  'unknown_name', // neither a builtin nor a constant
  'unknown_variable',
  'unknown_map',
  'unknown_struct',
  'unknown_field',
  // What is done with them.
  'type',
  'map_type', // a map's values or keys do not agree with an earlier use of it
  'arguments', // of a function
  'wrong_probe', // a builtin or function that this kind of probe does not have
  'unsafe_required',
  // Probes.
  'unknown_probe_type',
  'probe_syntax', // parts of an attach point: number, unit, rate, address
  'unknown_probe',
  'missing_file',
  'missing_symbol',
  'no_debuginfo',
  'too_many_probes',
  'probe_skipped', // the program runs without it
  // The kernel.
  'attach',
  'attach_denied',
  'unsupported_here', // this kernel lacks it
  'no_btf',
  'no_tracefs',
  'permission',
  'lockdown',
  'no_memory',
  'verifier',
  'stack_limit', // the BPF stack of 512 bytes
  'load',
  'limit', // one of bpftrace's own
  // Warnings.
  'sign', // integers of different signs
  'deprecated', // on its way out, or not stable yet
  'unused', // a value, or code, that has no effect
  'truncated',
  'runtime', // a BPF helper failed while the program ran
  'suspect', // compiles, and may not mean what was meant
  // The rest.
  'bpftrace_bug',
  'other',
] as const;

export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];
