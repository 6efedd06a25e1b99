/** perf's events, which 0.17 lists as `hardware:*:` and `software:*:`; later versions name them, as here. */
const EVENTS: Record<string, readonly string[]> = {
  hardware: [
    'backend-stalls',
    'branch-instructions',
    'branch-misses',
    'branches',
    'bus-cycles',
    'cache-misses',
    'cache-references',
    'cpu-cycles',
    'cycles',
    'frontend-stalls',
    'instructions',
    'ref-cycles',
  ],
  software: [
    'alignment-faults',
    'bpf-output',
    'context-switches',
    'cpu-clock',
    'cpu-migrations',
    'cpu',
    'cs',
    'dummy',
    'emulation-faults',
    'faults',
    'major-faults',
    'minor-faults',
    'page-faults',
    'task-clock',
  ],
};

/** The listing with each event under its own name, as from 0.18 on. */
export function withEvents(names: readonly string[]): string[] {
  return names.flatMap(name => {
    const provider = /^(\w+):\*:$/.exec(name)?.[1] ?? '';
    return EVENTS[provider]?.map(event => `${provider}:${event}:`) ?? [name];
  });
}
