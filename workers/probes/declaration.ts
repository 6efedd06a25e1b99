import type { ProbeField } from '../../src/contract/probes.js';

/** `char prev_comm[16]` is prev_comm, of type char[16]. */
export function fieldOf(declaration: string): ProbeField {
  const [, type = '', name = declaration, array = ''] =
    /^(.*?)\s*\b(\w+)((?:\[[^\]]*\])*)$/.exec(declaration.trim()) ?? [];
  return { name, type: `${type}${array}` };
}
