import { z } from 'zod';
import { envelope, jid } from './fields.js';

export const callSchema = z
  .object({
    id: z.string().describe('of the call; its events all have the same'),
    chatId: jid,
    from: jid.describe('who calls'),
    callerPn: jid.optional().describe('who calls, by phone number'),
    isGroup: z.boolean().optional(),
    groupJid: jid.optional(),
    date: z.iso.datetime().describe('when this happened'),
    isVideo: z.boolean().optional(),
    status: z
      .enum([
        'offer',
        'ringing',
        'preaccept',
        'transport',
        'relaylatency',
        'timeout',
        'reject',
        'accept',
        'terminate',
      ])
      .describe('`timeout`: nobody took it; `accept` and `reject` may have happened on another device'),
    offline: z.boolean().describe('happened while the session was away'),
    latencyMs: z.number().optional(),
  })
  .meta({ id: 'Call', title: 'Call' });

export const callEventSchema = z.object({ ...envelope, calls: z.array(callSchema).min(1) });
