/** Tools mention each other by these, so that a description can't name one that does not exist. */
export const TOOL = {
  listProbes: 'list_probes',
  listHelpers: 'list_helpers',
  validate: 'validate_program',
  exec: 'exec_program',
  getResult: 'get_result',
  stop: 'stop_program',
  listExecutions: 'list_executions',
  info: 'bpf_info',
} as const;
