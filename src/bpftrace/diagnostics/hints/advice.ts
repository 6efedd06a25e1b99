import type { BpftraceVersion } from '../../version.js';
import type { DiagnosticCode } from '../codes.js';
import type { Finding } from '../finding.js';
import type { ProgramText } from '../text.js';

/** What hints ask the host. Nothing here throws: where it can't be told the answer is empty. */
export interface DiagnosticHost {
  /** Probes with names near one that does not exist, best first. */
  nearestProbes(name: string, limit: number): Promise<string[]>;
  /** Probes that plain words describe (`tcp retransmit`), best first. */
  probesAbout(words: string, limit: number): Promise<string[]>;
  /** How many probes a pattern stands for; undefined where it can't be told. */
  countProbes(pattern: string): Promise<number | undefined>;
  /** A tracepoint's own fields by name. */
  fieldsOf(probe: string): Promise<string[]>;
  /** Members of a C type (`struct task_struct`) by name. */
  membersOf(type: string): Promise<string[]>;
}

export interface Advice {
  hint: string;
  /** Where the hint's knowledge tells the cause better than the words did. */
  code?: DiagnosticCode;
  /** In place of what the finding's place covers. */
  replacement?: string;
}

export interface Question {
  finding: Finding;
  text: ProgramText;
  version: BpftraceVersion | undefined;
  host: DiagnosticHost;
}

export type Adviser = (question: Question) => Advice | undefined | Promise<Advice | undefined>;

/** `args.x` is read by every release from 0.19 on, `args->x` by all. */
export function versionText(version: BpftraceVersion | undefined): string {
  return version === undefined ? 'this bpftrace' : `this is ${version.text}`;
}
