import { z } from 'zod';
import { jid } from './fields.js';

/** Names a message: the triple (remoteJid, fromMe, id), with the author in groups. */
export const messageKeySchema = z
  .object({
    remoteJid: jid.describe('the chat: a person, a group, or `status@broadcast`'),
    remoteJidAlt: jid.optional().describe('the same person by its other id: LID or phone number'),
    remoteJidUsername: z.string().optional().describe('the name by which the person can be found'),
    fromMe: z.boolean().optional().describe('whether this account wrote it'),
    id: z.string().min(1).describe('unique within chat and author'),
    participant: jid.optional().describe('the author, in groups and broadcasts'),
    participantAlt: jid.optional().describe('the author by the other id'),
    participantUsername: z.string().optional().describe('the name by which the author can be found'),
    addressingMode: z.string().optional().describe('`lid` or `pn`: by which kind of id the sender is named'),
    server_id: z.string().optional().describe("a channel's own number of the message"),
    isViewOnce: z.boolean().optional().describe('the content can be seen once, on the phone only'),
  })
  .meta({ id: 'MessageKey', title: 'Message key' });
