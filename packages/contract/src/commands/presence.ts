import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { recipientSchema } from './whatsapp-ids.js';

export const chatStateSchema = z.enum(['composing', 'recording', 'paused']);

/** What people see of an account while nothing is sent. */
export const presenceCommands = {
  'show-chat-state': sessionCommand({
    route: 'PUT /api/sessions/:id/chats/:chat/state',
    access: 'messages:write',
    cost: 2,
    tag: 'messages',
    summary: 'Show in a chat that the account is typing or recording',
    description:
      'Phones show it for some 20 s: repeat it while it lasts. `paused` ends it, and so does a message. ' +
      'WhatsApp does not confirm it.',
    params: { chat: recipientSchema },
    body: z.strictObject({ state: chatStateSchema }),
    reply: z.object({}),
    errors: ['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { chat: '15550001001', state: 'composing' },
  }),
};
