import { DATA_FUNCTIONS } from './data-functions.js';
import type { Entry } from './entry.js';
import { OUTPUT_FUNCTIONS } from './output-functions.js';
import { TEXT_FUNCTIONS } from './text-functions.js';

export const FUNCTIONS: readonly Entry[] = [...OUTPUT_FUNCTIONS, ...TEXT_FUNCTIONS, ...DATA_FUNCTIONS];
