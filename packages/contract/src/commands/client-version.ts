import { z } from 'zod';
import type { RestCall } from './definition.js';
import { instantSchema } from './fields.js';

/**
 * What the cluster knows of a version of WhatsApp Web. `known`: no session has reported it yet. `trying`: a few do,
 * before the others follow. `worked`: a session was open with it. `refused`: WhatsApp refused it, or too many tries
 * failed.
 */
export const clientVersionStateSchema = z.enum(['known', 'trying', 'worked', 'refused']);

export const clientVersionsSchema = z.object({
  current: z
    .string()
    .optional()
    .describe(
      'What sessions report, such as 2.3000.1043857760. Absent until one was open: then that of Baileys.',
    ),
  linking: z
    .string()
    .optional()
    .describe('What a session that is to be linked reports first, if that is another version.'),
  versions: z
    .array(
      z.object({
        version: z.string(),
        state: clientVersionStateSchema,
        since: instantSchema,
        foundAt: instantSchema,
        tries: z
          .object({ all: z.int(), open: z.int(), failed: z.int() })
          .describe(
            'The sessions that tried it before the others, how many of them are open, and how many never were.',
          ),
        refusedSessions: z
          .int()
          .optional()
          .describe(
            'If it is refused: how many sessions WhatsApp has refused for it, up to 5. One that has worked is in doubt after the first one: another session tries it before it counts. Absent if tries have failed otherwise.',
          ),
        refusedUntil: instantSchema.optional().describe('When it may be tried again.'),
      }),
    )
    .describe('Newest first.'),
  sessions: z
    .record(z.string(), z.int())
    .describe('How many open sessions report each version, a pinned one as well.'),
  check: z
    .object({
      at: instantSchema.optional().describe('When WhatsApp was last found to name a version.'),
      error: z.string().optional().describe('Why its page could not be read since then.'),
    })
    .describe('The look at the page on which WhatsApp names the newest version.'),
});

export type ClientVersionsAnswer = z.infer<typeof clientVersionsSchema>;

/** The version of WhatsApp Web that sessions report, for the administrator. */
export const clientVersionCalls = {
  'get-client-version': {
    route: 'GET /api/admin/client-version',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Get the versions of WhatsApp Web that sessions report',
    answers: { 200: clientVersionsSchema },
    errors: [],
  },
} as const satisfies Record<string, RestCall>;
