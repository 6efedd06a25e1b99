import type { Config } from '../../config.js';
import type { Tool } from '../tool.js';
import { bpfInfo } from './bpf-info.js';
import { execProgram } from './exec-program.js';
import { getResult } from './get-result.js';
import { listExecutions } from './list-executions.js';
import { listHelpers } from './list-helpers.js';
import { listProbes } from './list-probes.js';
import { stopProgram } from './stop-program.js';
import { validateProgram } from './validate-program.js';

/** The one list of tools, in the order in which an agent needs them. */
export function allTools(config: Config): Tool[] {
  return [
    listProbes,
    listHelpers,
    validateProgram,
    execProgram(config),
    getResult,
    stopProgram,
    listExecutions,
    bpfInfo,
  ];
}
