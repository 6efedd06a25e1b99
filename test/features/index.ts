import { executions } from './executions.js';
import type { Group } from './feature.js';
import { functions } from './functions.js';
import { language } from './language.js';
import { output } from './output.js';
import { probes } from './probes.js';

export const GROUPS: readonly Group[] = [executions, language, output, probes, functions];
