import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { personSchema } from './whatsapp-ids.js';

export const rejectCallBodySchema = z.strictObject({
  from: personSchema
    .optional()
    .describe('`from` of the event. Needed only if another worker had the session when the call began'),
});

/** Calls that ring. */
export const callCommands = {
  'reject-call': sessionCommand({
    route: 'POST /api/sessions/:id/calls/:call/reject',
    access: 'messages:write',
    cost: 5,
    tag: 'messages',
    summary: 'Reject a call',
    description: '`:call` is the `id` of the event `call`. A call that has ended is not refused.',
    params: { call: z.string().regex(/^[\w-]{1,100}$/, 'must be the id of a call') },
    body: rejectCallBodySchema,
    reply: z.object({}),
    errors: ['CALL_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { call: 'A1B2C3', from: '106825993066104@lid' },
  }),
};
