import { z } from 'zod';

/** What people call a tenant, a key or a session. */
export const nameSchema = z.string().trim().min(1).max(100);

export const instantSchema = z.iso.datetime().describe('UTC, ISO 8601');
