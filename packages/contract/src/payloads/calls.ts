import { z } from 'zod';
import { envelope, jid } from './fields.js';

export const callSchema = z
  .object({
    id: z.string().describe('of the call; its events all have the same'),
    chatId: jid,
    from: jid.describe('who calls'),
    callerPn: jid.optional().describe('who calls, by phone number'),
    callerLid: jid.optional().describe('who calls, by LID; absent where `from` is the LID'),
    callerUsername: z.string().optional().describe('the username of who calls'),
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
      .describe(
        '`timeout`: it was not answered. `terminate`: it is over, `reason` says why; without one the caller hung up',
      ),
    reason: z
      .string()
      .optional()
      .describe(
        "why it is over, in WhatsApp's words: `rejected_elsewhere` and `accepted_elsewhere` if another device of the account declined or took it, `timeout`, …",
      ),
    offline: z.boolean().describe('happened while the session was away'),
    latencyMs: z.number().optional(),
  })
  .meta({ id: 'Call', title: 'Call' });

export const callEventSchema = z.object({ ...envelope, calls: z.array(callSchema).min(1) });
