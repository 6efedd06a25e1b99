import { highCpu } from './high-cpu.js';
import { memoryGrowth } from './memory-growth.js';
import { networkTrouble } from './network-trouble.js';
import type { Prompt } from './prompt.js';
import { shortLived } from './short-lived.js';
import { slowDisk } from './slow-disk.js';
import { slowRequests } from './slow-requests.js';
import { whoDoesThis } from './who-does-this.js';

/** The one list of prompts. */
export const PROMPTS: readonly Prompt[] = [
  highCpu,
  slowDisk,
  slowRequests,
  memoryGrowth,
  networkTrouble,
  whoDoesThis,
  shortLived,
];
