import { workerData } from 'node:worker_threads';
import type { ProbeThreadData } from '../../src/contract/probes.js';
import { HostFiles } from '../../src/recording/host-files.js';

const { recording = '' } = (workerData ?? {}) as Partial<ProbeThreadData>;

/** Of the host that this thread tells about. */
export const hostFiles = new HostFiles(recording);
