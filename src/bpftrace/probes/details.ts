import type { ProbeField } from '../../contract/probes.js';

export interface DetailedProbe {
  name: string;
  fields?: ProbeField[];
}

/** What details may take of a reply, as JSON. Some fields have a hundred values (gfp flags, drop reasons). */
const DETAIL_CHARS_MAX = 8000;
/** Values kept of a field; the first of these numbers with which all have room. */
const VALUES_KEPT = [Number.POSITIVE_INFINITY, 32, 16, 8, 4] as const;

/** The probes with as many values as have room, alike for all fields; how many were left out is told. */
export function withinRoom(probes: readonly DetailedProbe[]): DetailedProbe[] {
  for (const kept of VALUES_KEPT) {
    const some = probes.map(probe => ({
      ...probe,
      ...(probe.fields && { fields: shortened(probe.fields, kept) }),
    }));
    if (kept === VALUES_KEPT.at(-1) || JSON.stringify(some).length <= DETAIL_CHARS_MAX) return some;
  }
  return [...probes];
}

function shortened(fields: readonly ProbeField[], kept: number): ProbeField[] {
  return fields.map(field => {
    const values = Object.entries(field.values ?? {});
    if (values.length <= kept) return field;
    return {
      ...field,
      values: Object.fromEntries(values.slice(0, kept)),
      values_left_out: values.length - kept,
    };
  });
}
