import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../bpftrace/installation.js';
import { isAdditionAtFault, planSnapshots, type SnapshotPlan } from '../bpftrace/snapshot-plan.js';

/** `--version` takes bpftrace 50 ms. A program does not wait longer for being readable while it runs. */
const PATIENCE_MS = 1000;

import { atLeast } from '../bpftrace/version.js';

/**
 * Whether running programs can be read here: known by the version up to 0.21; from 0.22 on shown by the first
 * program that attaches with the added probe, or by one that attaches only without it.
 */
export class SnapshotSupport {
  private shown: { identity: string; answer: 'yes' | 'no' } | undefined;

  constructor(private readonly installation: Installation) {}

  async plan(program: string): Promise<SnapshotPlan> {
    const plan = await planSnapshots(program, () => {
      return Promise.race([this.installation.version(), sleep(PATIENCE_MS, undefined, { ref: false })]);
    });
    const isAdded = 'method' in plan && plan.method.addition;
    if (isAdded && this.answer === 'no') {
      return { unsupported: 'the probe that would print the maps does not attach here' };
    }
    return plan;
  }

  /**
   * Whether a program that did not start should be tried again without the addition: because of what the program
   * is, or because it may be that the addition starts nowhere on this host.
   */
  retry(stderr: string, program: string): 'program' | 'host' | undefined {
    const isAtFault = isAdditionAtFault(stderr, program);
    if (isAtFault === undefined && this.answer === 'unknown') return 'host';
    return isAtFault ? 'program' : undefined;
  }

  /** A program attached with the addition, or one did that had failed with it. */
  learn(answer: 'yes' | 'no'): void {
    this.shown = { identity: this.installation.identity, answer };
  }

  /** For whoever wants to know before running a program. */
  async available(): Promise<'yes' | 'no' | 'unknown'> {
    const version = await this.installation.version();
    if (!version) return 'unknown';
    return atLeast(version, '0.22') ? this.answer : 'yes';
  }

  private get answer(): 'yes' | 'no' | 'unknown' {
    return this.shown?.identity === this.installation.identity ? this.shown.answer : 'unknown';
  }
}
