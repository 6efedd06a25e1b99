import { z } from 'zod';
import type { Inspection } from '../bpftrace/checks.js';

export const FOLDER_FORMAT = 'bpftrace-mcp recordings';
export const FOLDER_VERSION = 1;

/** On which host something was recorded, and what `bpf_info` needs of it. */
export interface HostRecord {
  format: typeof FOLDER_FORMAT;
  version: typeof FOLDER_VERSION;
  kernel: string;
  arch: string;
  bpftrace_path: string;
  /** Another one: another bpftrace at that path. */
  bpftrace_identity: string;
  children_die_with_server: boolean;
  /** What `bpf_info` found; absent until that was looked at. */
  inspection?: Inspection;
}

/** What is relied on: it may have been changed by hand, or be of something else. */
export const HOST_RECORD = z.object({
  kernel: z.string(),
  arch: z.string(),
  bpftrace_path: z.string(),
  bpftrace_identity: z.string(),
  children_die_with_server: z.boolean(),
  inspection: z.object({ host: z.object({ features: z.object() }), checks: z.array(z.object()) }).optional(),
});
