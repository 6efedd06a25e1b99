import type { ProgramMap, ProgramMaps } from '../../src/contract/program-map.js';

/** How this bpftrace writes maps, and what the program says of them. */
export interface MapReading {
  maps: ProgramMap[];
  /** bpftrace's max_map_keys. */
  keysMax: number;
  /** bpftrace's max_strlen; 0 when it is not known. */
  stringBytesMax: number;
  /** It escapes keys twice (0.22, 0.23); undefined: look at each map. */
  keysEscapedTwice: boolean | undefined;
  /** It takes the blanks out of keys (seen in 0.27). */
  keysWithoutBlanks: boolean;
  /** bpftrace's version will be known later: what is read now is to be read again. */
  isProvisional: boolean;
}

const KEYS_MAX_DEFAULT = 4096;
/** Measured on 0.17 and 0.23; the change came in between. */
const STRING_BYTES_OLD = 64;
const STRING_BYTES_NEW = 1024;

/** @param version undefined when it is not known; `pending` when it is not known yet */
export function readingOf(
  { maps, keysMax, stringBytesMax }: ProgramMaps,
  known: { major: number; minor: number } | 'pending' | undefined,
): MapReading {
  const isProvisional = known === 'pending';
  const version = isProvisional ? undefined : known;
  const minor = version && (version.major > 0 ? Number.POSITIVE_INFINITY : version.minor);
  return {
    maps,
    keysMax: keysMax ?? KEYS_MAX_DEFAULT,
    stringBytesMax: stringBytesMax ?? stringBytesOf(minor),
    keysEscapedTwice: escapesKeysTwice(minor),
    keysWithoutBlanks: minor !== undefined && minor >= 27,
    isProvisional,
  };
}

/** Of 0.24 to 0.26 it is not known. */
function escapesKeysTwice(minor: number | undefined): boolean | undefined {
  if (minor === undefined || (minor > 23 && minor < 27)) return undefined;
  return minor === 22 || minor === 23;
}

function stringBytesOf(minor: number | undefined): number {
  if (minor === undefined) return 0;
  if (minor <= 17) return STRING_BYTES_OLD;
  return minor >= 23 ? STRING_BYTES_NEW : 0;
}
