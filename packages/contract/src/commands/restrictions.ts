import { z } from 'zod';
import { PAUSE_REASONS } from '../pause-reasons.js';
import { sessionCommand } from './definition.js';
import { instantSchema } from './fields.js';

const budgetSchema = z.object({
  limit: z.number().int(),
  left: z.number().int().describe('How many are left now'),
});

export const restrictionsSchema = z.object({
  timeLock: z
    .object({
      isActive: z.boolean(),
      until: instantSchema.nullable().describe('When it ends; null: WhatsApp does not say'),
      type: z.string().nullable().describe('WhatsApp’s word for the cause'),
    })
    .describe('While it is active, WhatsApp lets the account begin no new chats'),
  newChats: z
    .object({
      used: z.number().int(),
      total: z.number().int(),
      cycleStartsAt: instantSchema.nullable(),
      cycleEndsAt: instantSchema.nullable(),
      status: z.string().nullable().describe('`NONE`, `FIRST_WARNING`, `SECOND_WARNING` or `CAPPED`'),
    })
    .nullable()
    .describe('How many new chats WhatsApp lets the account begin; null: it names no such quota'),
  pausedUntil: instantSchema
    .nullable()
    .describe('Until when this service begins no new chats for the session'),
  pauseReason: z.enum(PAUSE_REASONS).nullable(),
  refusals: z
    .number()
    .int()
    .describe('How many messages WhatsApp refused within the last hour, up to the pause'),
  pacing: z
    .object({ sends: budgetSchema.nullable(), newChats: budgetSchema.nullable() })
    .describe('What is left by the settings of the session; null: no bound is set'),
});

export type Restrictions = z.infer<typeof restrictionsSchema>;

const call = { tag: 'messages', example: {} } as const;

/** How much an account may write, by WhatsApp and by the settings of its session. */
export const restrictionCommands = {
  'get-restrictions': sessionCommand({
    ...call,
    route: 'GET /api/sessions/:id/restrictions',
    access: 'sessions:read',
    cost: 5,
    summary: 'Get how much the account may write',
    description:
      'What WhatsApp says is asked for at most once in 30 s. The rest is as it is now. See docs/staying-unrestricted.md.',
    reply: restrictionsSchema,
    errors: ['WHATSAPP_REFUSED'],
  }),
  'lift-pause': sessionCommand({
    ...call,
    route: 'DELETE /api/sessions/:id/restrictions/pause',
    access: 'sessions:write',
    cost: 2,
    summary: 'Let a session begin new chats again',
    description:
      'Ends the pause that this service makes after refusals, and forgets these. It does not change what WhatsApp allows.',
    reply: z.object({}),
    errors: [],
    execution: { requires: 'any' },
  }),
};
