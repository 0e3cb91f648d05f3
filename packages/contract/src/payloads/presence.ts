import { z } from 'zod';
import { envelope, jid } from './fields.js';

export const presenceSchema = z
  .object({
    lastKnownPresence: z.enum(['unavailable', 'available', 'composing', 'recording', 'paused']),
    lastSeen: z.number().optional().describe('seconds since 1970'),
    groupOnlineCount: z.number().optional().describe('how many of a group are online'),
  })
  .meta({ id: 'Presence', title: 'Presence' });

export const presenceUpdateSchema = z.object({
  ...envelope,
  id: jid.describe('the chat'),
  idAlt: jid.optional().describe('the chat by the other id of its person'),
  presences: z
    .record(jid, presenceSchema)
    .describe('by person; `available` is somebody who is online, if anybody is'),
});
