/** Probes that no bpftrace lists with the kernel's, since they have a number or a place of the caller's choice. */
const ALWAYS: readonly { probe: string; about: string; asked: RegExp }[] = [
  {
    probe: 'profile:hz:99',
    about:
      'samples every CPU 99 times a second; @[kstack] or @[ustack, comm] = count() shows where time goes',
    asked:
      /\b(?:profil\w*|sampl\w*|cpu (?:usage|time|load|hogs?)|(?:high|busy|hot|burns?|eats?|uses?) (?:the )?cpu|hot ?spots?|flame ?graphs?|on.?cpu)\b/i,
  },
  {
    probe: 'interval:s:1',
    about: 'fires once a second on one CPU, to print or clear maps',
    asked: /\b(?:intervals?|periodic\w*|every second|each second|per second|timers?|ticks?)\b/i,
  },
  { probe: 'BEGIN', about: 'fires once, when tracing begins', asked: /\b(?:begin|start of tracing)\b/i },
  { probe: 'END', about: 'fires once, when tracing ends', asked: /^end$|\bend of tracing\b/i },
  {
    probe: 'uprobe:PATH:FUNCTION',
    about: 'a function of a program or library; list them with filter uprobe:/usr/bin/bash:*read*',
    asked: /\b(?:u(?:ret)?probes?|user ?space|functions? of (?:a|my|the) (?:program|binary|library))\b/i,
  },
  {
    probe: 'usdt:PATH:NAME',
    about: 'a probe that a program brings along; list them with filter usdt:/usr/bin/python3:*',
    asked: /\busdt\b/i,
  },
  {
    probe: 'watchpoint:ADDRESS:LENGTH:rw',
    about: 'reads (r), writes (w) or execution (x) of some bytes of memory',
    asked: /\bwatch ?points?\b/i,
  },
];

/** Those that a filter asks for, each with what it is: `profile:hz:99 (samples …)`. */
export function alwaysThere(filter: string): string[] {
  return ALWAYS.filter(({ asked }) => asked.test(filter)).map(({ probe, about }) => `${probe} (${about})`);
}
