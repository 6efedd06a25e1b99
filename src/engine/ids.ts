import { createHmac, randomBytes } from 'node:crypto';

/**
 * Execution ids: 128 random bits and a 32-bit tag that only this process can make. So an id that was given out
 * and has been forgotten is told apart from one that never was, with no list of the forgotten.
 */
const RANDOM_BYTES = 16;
const TAG_BYTES = 4;
const ID = new RegExp(`^[0-9a-f]{${2 * (RANDOM_BYTES + TAG_BYTES)}}$`);
const key = randomBytes(32);

export function newId(): string {
  const random = randomBytes(RANDOM_BYTES).toString('hex');
  return random + tagOf(random);
}

/** Whether this process has given out `id` at some time. */
export function wasIssued(id: string): boolean {
  return ID.test(id) && tagOf(id.slice(0, 2 * RANDOM_BYTES)) === id.slice(2 * RANDOM_BYTES);
}

function tagOf(random: string): string {
  return createHmac('sha256', key)
    .update(random)
    .digest('hex')
    .slice(0, 2 * TAG_BYTES);
}
