import type { Release } from '../version.js';
import { BUILTINS } from './builtins.js';
import { FUNCTIONS } from './functions.js';
import { MAP_FUNCTIONS } from './map-functions.js';

const ALL_FUNCTIONS = [...FUNCTIONS, ...MAP_FUNCTIONS];

/** The last one that the reference covers. */
export const NEWEST_RELEASE: Release = '0.27';
/** Of all releases that the reference covers. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(ALL_FUNCTIONS.map(({ name }) => name));
export const UNSAFE_FUNCTION_NAMES: ReadonlySet<string> = new Set(
  ALL_FUNCTIONS.filter(({ unsafe }) => unsafe).map(({ name }) => name),
);
export const BUILTIN_NAMES: ReadonlySet<string> = new Set(BUILTINS.map(({ name }) => name));
