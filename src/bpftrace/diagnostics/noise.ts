/** What a healthy run says too. Each entry names the version and the condition that it was seen with. */
const NOISE: readonly RegExp[] = [
  // 0.17 (as ERROR), 0.23 and 0.27 (as WARNING): RLIMIT_MEMLOCK can't be raised; kernels since 5.11 don't need it.
  /couldn't set RLIMIT_MEMLOCK/,
  // 0.23, 0.27: kernels without kprobes have no such file.
  /Could not read (?:functions|symbols) from .*available_filter_functions/,
  // 0.17 and 0.23 with LLVM 14 to 19, on every program with a pointer cast; some programs of 0.27 too.
  /^Addrspace is not set$/,
  /^Addrspace mismatch$/,
  // 0.17, at the end of a run with uprobes.
  /^(?:ioctl\(PERF_EVENT_IOC_DISABLE\)|close perf event FD) failed: Bad file descriptor$/,
  /^failed to close perf event FDs for probe: /,
  // At the end of a run whose probe was skipped when attaching.
  /^failed to detach probe: /,
  /^open\(.*kprobe_events\): No such file or directory$/,
  // 0.27, one for each iterator, when a program names one, on kernels where they can't be loaded.
  /^The kernel contains bpf_iter__\w+ struct but does not support loading an iterator/,
  // 0.23, before every error in a preamble; the error says what matters.
  /^Could not find kernel headers in /,
  // 0.17 with -v.
  /^node count: \d+$/,
  /^Attaching /,
  // 0.27 with -v: the end of the log, which tells the reason, is never what is trimmed.
  /^Kernel log seems to be trimmed/,
];

export function isNoise(message: string): boolean {
  return NOISE.some(pattern => pattern.test(message));
}
