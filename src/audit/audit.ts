import { Refusal } from '../contract/errors.js';
import { AuditFile } from './audit-file.js';

interface AuditOptions {
  path: string;
  maxBytes: number;
  /** Files kept beside the one that is written. */
  keep: number;
  /** The texts of programs too, not only their hashes. */
  programs: boolean;
  /** What can't be written down is not done. */
  required: boolean;
}

/** A request to run or to compile a program, and what became of it. */
export interface Submission {
  kind: 'run' | 'validate';
  client: string;
  /** SHA-256 of its text, the first 16 hex digits. */
  program: string;
  /** Its text. */
  text: string;
  /** `admitted`, or the code of the refusal. */
  decision: string;
  /** Of the policy, where one refused it. */
  rule?: string;
  /** Why it was refused. */
  why?: string;
  /** Of one that was admitted. */
  execution?: string;
  /** The execution whose child it shares. */
  childOf?: string;
  deadlineMs?: number;
}

export interface AuditState {
  path: string;
  required: boolean;
  written: number;
  /** Lines that could not be written. */
  failed: number;
  /** Why the last one could not; absent when it was. */
  problem?: string;
}

/** One line of JSON for each submission, and one for its outcome. */
export class Audit {
  private readonly file: AuditFile;
  private written = 0;
  private failed = 0;
  private problem: string | undefined;

  /** @param onProblem told when lines begin to fail, with why, and when they are written again, with nothing */
  constructor(
    private readonly options: AuditOptions,
    private readonly onProblem: (problem: string | undefined) => void = () => {},
  ) {
    this.file = new AuditFile(options);
    this.write({ event: 'started', server: process.pid });
  }

  /** @throws Refusal `audit_failed`, where every submission has to be written down and this one could not be */
  submitted({ text, ...submission }: Submission): void {
    const isWritten = this.write({
      event: 'submitted',
      ...submission,
      ...(this.options.programs && { text }),
    });
    if (!isWritten && submission.decision === 'admitted') this.requireWritable();
  }

  /** As of the last line. @throws Refusal `audit_failed`, where every submission has to be written down */
  requireWritable(): void {
    if (!this.options.required || this.problem === undefined) return;
    throw new Refusal(
      'audit_failed',
      `the submission could not be written to the audit file: ${this.problem}`,
      'the operator has to see to the audit file; nothing is run until then',
    );
  }

  ended(report: object): void {
    this.write({ event: 'ended', ...report });
  }

  /** Closes the file and writes to what is at its path now. */
  reopen(): void {
    this.file.close();
    this.write({ event: 'reopened', server: process.pid });
  }

  get state(): AuditState {
    const { written, failed, problem } = this;
    const { path, required } = this.options;
    return { path, required, written, failed, ...(problem !== undefined && { problem }) };
  }

  close(): void {
    this.file.close();
  }

  private write(line: object): boolean {
    const before = this.problem;
    try {
      this.file.append(JSON.stringify({ time: new Date().toISOString(), ...line }));
      this.written++;
      this.problem = undefined;
    } catch (error) {
      this.failed++;
      this.problem = error instanceof Error ? error.message : String(error);
    }
    if (before !== this.problem) this.onProblem(this.problem);
    return this.problem === undefined;
  }
}
