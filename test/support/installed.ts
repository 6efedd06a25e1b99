import { execFileSync } from 'node:child_process';
import { type BpftraceVersion, parseVersion } from '../../src/bpftrace/version.js';
import { BPFTRACE } from './server.js';

/** The version of the bpftrace that the suite runs against. */
export function installedVersion(): BpftraceVersion {
  const printed = execFileSync(BPFTRACE, ['--version'], { encoding: 'utf8' });
  const version = parseVersion(printed);
  if (!version) throw new Error(`no version in ${printed}`);
  return version;
}
