import { z } from 'zod';

/** Clients give a request up after 60 s by default. */
export const MAX_WAIT_S = 50;

export const waitSchema = z.number().min(0).max(MAX_WAIT_S).optional();
