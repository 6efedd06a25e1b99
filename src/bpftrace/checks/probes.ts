import type { HostFeatures } from './info.js';
import { configSays, type KernelFacts } from './kernel.js';
import { type Answer, type Check, notYes, yes } from './types.js';

/**
 * Which kinds of probe attach here. The kernel's word counts before bpftrace's: `bpftrace --info` says
 * `kprobe: yes` on kernels built without kprobes, because it only loads a program of that type.
 */
export function tracepointsCheck(kernel: KernelFacts): Check {
  const check = kind('tracepoints');
  if (kernel.tracefs.readable && kernel.tracefs.groups > 0) {
    return check.yes(`${kernel.tracefs.groups} groups`);
  }
  if (configSays(kernel.config, 'TRACEPOINTS') === 'no') {
    return check.no('the kernel was built without CONFIG_TRACEPOINTS', 'use a kernel that has it');
  }
  if (kernel.tracefs.path === undefined) return check.no('tracefs is not mounted', 'see tracefs');
  if (kernel.eventSources?.has('tracepoint'))
    return check.yes('the kernel offers them; their list is for root');
  return check.unknown('tracefs cannot be read', 'run this as root');
}

export function kprobesCheck(kernel: KernelFacts, info: HostFeatures): Check {
  const check = kind('kprobes');
  const instead =
    'use tracepoints instead, or a kernel built with CONFIG_KPROBE_EVENTS and CONFIG_BPF_EVENTS';
  const offered = kernelOffers(kernel, 'kprobe', kernel.kprobeEvents, 'KPROBE_EVENTS');
  if (offered === 'no') return check.no('the kernel was built without them (CONFIG_KPROBE_EVENTS)', instead);
  if (kernel.lockdown?.includes('[confidentiality]')) {
    return check.no('refused by lockdown in confidentiality mode', 'see lockdown');
  }
  if (kernel.kprobesEnabled === '0') {
    return check.no('switched off', 'switch them on: echo 1 > /sys/kernel/debug/kprobes/enabled');
  }
  if (info.features.kprobe === 'no') return check.no('the kernel loads no kprobe programs', instead);
  if (offered === 'unknown')
    return check.unknown('the kernel does not tell', 'run this as root, with tracefs mounted');
  return check.yes(`the kernel offers them${unlisted(kernel)}`);
}

export function uprobesCheck(kernel: KernelFacts): Check {
  const check = kind('uprobes');
  const offered = kernelOffers(kernel, 'uprobe', kernel.uprobeEvents, 'UPROBE_EVENTS');
  if (offered === 'yes') return check.yes('the kernel offers them');
  if (offered === 'no') {
    return check.no('the kernel was built without CONFIG_UPROBE_EVENTS', 'use a kernel that has it');
  }
  return check.unknown('the kernel does not tell', 'run this as root, with tracefs mounted');
}

/** `listed`: did `bpftrace -l` name a function that every kernel has; asked where --info is silent (0.27). */
export function fentryCheck(kernel: KernelFacts, info: HostFeatures, listed: Answer): Check {
  const check = kind('fentry');
  if (kernel.vmlinuxBtf === 'absent') return check.no('needs BTF, which this kernel lacks', 'see btf');
  const directCalls = configSays(kernel.config, 'DYNAMIC_FTRACE_WITH_DIRECT_CALLS');
  if (directCalls === 'no') {
    return check.no(
      'the kernel was built without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS',
      'use kprobes instead, or a kernel that has it',
    );
  }
  const answer = info.features.fentry ?? listed;
  if (answer === 'yes') return check.yes(`bpftrace finds them${unlisted(kernel)}`);
  if (answer === 'no') {
    return check.no(
      `bpftrace finds none here${unlisted(kernel)}`,
      'use kprobes or tracepoints instead; fentry comes with BTF and function tracing (Linux 5.5 or newer)',
    );
  }
  return check.unknown('neither the kernel nor bpftrace tells', 'see bpftrace and privileges');
}

export function btfCheck(kernel: KernelFacts, override: string | undefined): Check {
  const check = kind('btf');
  if (kernel.vmlinuxBtf === 'readable') return check.yes('/sys/kernel/btf/vmlinux');
  if (override !== undefined) return check.yes(`BPFTRACE_BTF=${override}`);
  if (kernel.vmlinuxBtf === 'unreadable') {
    return check.no('/sys/kernel/btf/vmlinux cannot be read', 'run this as root');
  }
  return check.no(
    "/sys/kernel/btf/vmlinux is not there: kernel structs' fields and fentry are out of reach",
    'use a kernel built with CONFIG_DEBUG_INFO_BTF, or point BPFTRACE_BTF to a BTF file of this kernel',
  );
}

/** perf's device directory is readable by everyone and exists only when the kernel has the events. */
function kernelOffers(
  kernel: KernelFacts,
  source: string,
  events: KernelFacts['kprobeEvents'],
  option: string,
): Answer {
  if (kernel.eventSources?.has(source)) return 'yes';
  const configured = configSays(kernel.config, option);
  if (configured !== 'unknown') return configured;
  if (events === 'readable') return 'yes';
  return kernel.tracefs.readable && events === 'absent' ? 'no' : 'unknown';
}

/** Worth a word with every answer it bears on: 0.27 attaches to no function that this file does not name. */
function unlisted(kernel: KernelFacts): string {
  return kernel.tracefs.readable && kernel.filterFunctions === 'unreadable'
    ? '; the kernel keeps available_filter_functions closed'
    : '';
}

/** None of these is required: each stands for some programs only. */
function kind(name: string) {
  return {
    yes: (detail: string) => yes(name, false, detail),
    no: (detail: string, action: string) => notYes(name, false, 'no', detail, action),
    unknown: (detail: string, action: string) => notYes(name, false, 'unknown', detail, action),
  };
}
