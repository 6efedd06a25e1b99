import type { KeyType, MapKind } from './map.js';

/** What a program's text says of one of its maps. What it does not say for certain is absent. */
export interface ProgramMap {
  /** With the `@`. */
  name: string;
  kind?: MapKind | undefined;
  /** It only ever grows by ++ and +=, so entries of one key may be added. */
  additive?: true | undefined;
  /** It holds what buf() gives, and nothing else. */
  buffer?: true | undefined;
  /** One for each part of its keys; empty for a map without keys. */
  keys?: KeySpec[] | undefined;
  /** Where it stands in the program, `line:column`, both from 1; a warning about it names one of these. */
  places: string[];
  /** Keys it can hold, where it is declared with a size. */
  keysMax?: number | undefined;
}

export interface KeySpec {
  /** `word`: text that holds no comma and no blank (an address, a function). */
  type: KeyType | 'word';
  /** An integer that the program makes an unsigned one of 64 bits. */
  unsigned?: true | undefined;
  /** All texts that it can be. */
  literals?: string[] | undefined;
}

/** What is known of a program's maps before it runs. */
export interface ProgramMaps {
  maps: ProgramMap[];
  /** bpftrace's max_map_keys and max_strlen, where the operator or the program sets them. */
  keysMax?: number | undefined;
  stringBytesMax?: number | undefined;
}
