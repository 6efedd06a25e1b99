import { both, counts, feature, type Group, is, prints, printsLike, refused, traced } from './feature.js';

/** How a program begins and ends. Everything here works everywhere, or the server is of no use. */
const required = { required: true } as const;

export const executions: Group = {
  name: 'executions',
  features: [
    feature(
      'exit() ends it',
      'BEGIN { printf("once\\n"); exit(); }',
      both(prints('once'), result =>
        result.ended_by === 'exit' ? undefined : `ended by ${result.ended_by}`,
      ),
      required,
    ),
    traced(
      'the deadline ends it and the maps are there',
      'interval:ms:50 { @ = count(); }',
      both(counts(), result => (result.ended_by === 'deadline' ? undefined : `ended by ${result.ended_by}`)),
      required,
    ),
    traced(
      'END runs at the deadline',
      'interval:ms:50 { @ = count(); } END { printf("over\\n"); }',
      both(prints('over'), counts()),
      required,
    ),
    feature(
      'a stop keeps lines and maps',
      'interval:ms:50 { @ = count(); printf("tick\\n"); }',
      both(counts(), printsLike(/^tick$/), result =>
        result.ended_by === 'stop' ? undefined : `ended by ${result.ended_by}`,
      ),
      { ...required, stopped: true, timeout: 60 },
    ),
    refused(
      'a syntax error with its place',
      'BEGIN {\n  printf("x" }',
      ({ reason, diagnostics }) =>
        reason === 'compile_failed' && diagnostics[0]?.line === 2
          ? undefined
          : `${reason}: ${JSON.stringify(diagnostics)}`,
      required,
    ),
    refused(
      'a tracepoint that does not exist, by name',
      'tracepoint:sched:no_such_probe { @ = count(); }',
      ({ reason, error_message }) =>
        reason === 'attach_failed' && /no_such_probe/.test(error_message ?? '')
          ? undefined
          : `${reason}: ${error_message}`,
      required,
    ),
    feature(
      'the latest snapshot of a map that was printed twice',
      'BEGIN { @ = 1; print(@); } interval:ms:50 { @ = 2; exit(); }',
      both(is('@', 2), printsLike(/^@: 1$/)),
    ),
    feature('exit(3), a code of its own', 'BEGIN { exit(3); }', ({ exit_code }) =>
      exit_code === 3 ? undefined : `exit code ${exit_code}`,
    ),
    feature('several BEGIN', 'BEGIN { printf("a\\n"); } BEGIN { printf("b\\n"); exit(); }', prints('a', 'b')),
  ],
};
