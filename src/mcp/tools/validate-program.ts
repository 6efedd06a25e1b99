import { z } from 'zod';
import { type Validation, validationSchema } from '../../engine/validation.js';
import { diagnosticLines } from '../../results/diagnostic-text.js';
import { defineTool } from '../tool.js';
import { TOOL } from './names.js';

export const validateProgram = defineTool({
  name: TOOL.validate,
  title: 'Check a program',
  description: `Compiles a bpftrace program and looks up what it would attach to, without attaching, loading or running anything: valid is true, false with diagnostics and their place, or null where that can't be told. It does not ask the kernel's verifier, so ${TOOL.exec} can still fail. ${TOOL.exec} checks the same when it starts: use this one for programs that must not run yet, or to see how many probes a pattern means.`,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.object({ program: z.string().describe('bpftrace source text') }),
  output: validationSchema,
  async handle(args, { client, signal }) {
    const structured = await client.validate(args.program, signal);
    return { structured, text: validationText(structured) };
  },
});

function validationText(validation: Validation): string {
  const { valid, reason, diagnostics, probes, probes_total, method, replayed } = validation;
  const isExplained = diagnostics.some(({ severity, noise }) => severity === 'error' && !noise);
  const head = valid === null ? 'could not tell' : valid ? 'valid' : 'not valid';
  const total =
    probes_total === null ? [] : [`would attach ${probes_total} probe${probes_total === 1 ? '' : 's'}`];
  return [
    [`${head}${reason === undefined || isExplained ? '' : `: ${reason}`}`, ...total].join('; '),
    ...diagnosticLines(diagnostics),
    ...probes.map(({ attach_point, found, probes: count, names = [], note }) => {
      const more = (count ?? 0) - names.length;
      const some = names.length === 0 ? '' : `: ${names.join(' ')}${more > 0 ? ` and ${more} more` : ''}`;
      const state =
        found === 'yes'
          ? count === undefined
            ? 'found'
            : `${count} found`
          : found === 'no'
            ? 'NOT FOUND'
            : 'not known';
      return `${attach_point}: ${state}${note === undefined ? '' : ` (${note})`}${some}`;
    }),
    `(${method})`,
    ...(replayed ? ['replayed from a recording'] : []),
  ].join('\n');
}
