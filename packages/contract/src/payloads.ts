import { z } from 'zod';
import type { EventName } from './event-names.js';
import { sessionIdSchema } from './identifiers.js';

const jid = z.string().min(1);

/** Names a message: the triple (remoteJid, fromMe, id), with the author in groups. */
const messageKey = z.looseObject({
  remoteJid: jid,
  remoteJidAlt: z.string().optional(),
  fromMe: z.boolean().optional(),
  id: z.string().min(1),
  participant: z.string().optional(),
  participantAlt: z.string().optional(),
  addressingMode: z.string().optional(),
});

/** WhatsApp's message content, one key per kind: `conversation`, `imageMessage`, … Bytes are base64. */
const messageContent = z.record(z.string(), z.unknown());

/** A message; its content is absent in notices such as a group's change, or where it could not be read. */
const message = z.looseObject({
  key: messageKey,
  message: messageContent.nullish(),
  messageTimestamp: z.union([z.number(), z.string()]).optional().describe('seconds since 1970'),
  pushName: z.string().nullish(),
  messageStubType: z.number().optional(),
  messageStubParameters: z.array(z.string()).optional(),
});

const chat = z.looseObject({ id: jid });
const contact = z.looseObject({ id: jid });

const participant = z.looseObject({
  id: jid,
  admin: z.enum(['admin', 'superadmin']).nullish(),
});

const group = z.looseObject({ id: jid, subject: z.string(), participants: z.array(participant) });
const groupUpdate = z.looseObject({ id: jid });

const presence = z.looseObject({
  lastKnownPresence: z.enum(['unavailable', 'available', 'composing', 'recording', 'paused']),
  lastSeen: z.number().optional().describe('seconds since 1970'),
});

const call = z.looseObject({
  id: z.string(),
  chatId: jid,
  from: jid,
  date: z.iso.datetime(),
  status: z.string(),
  offline: z.boolean(),
});

/** The fields that every payload carries. */
const envelope = {
  eventId: z.string().describe('Opaque position in the tenant’s event log; deduplicate by it'),
  sessionId: sessionIdSchema,
  timestamp: z.iso.datetime().describe('When the worker published it; UTC, ISO 8601'),
};

/** Marks what comes from the history that the phone hands to a newly linked device, rather than from just now. */
const history = z.literal(true).optional();

/** Marks what tells a new subscriber how things are, rather than that they changed just now. */
const snapshot = z.literal(true).optional();

/**
 * The payload of each event: one JSON object. Where WhatsApp has a list it stands under a plural noun. Objects
 * that mirror WhatsApp's own may carry further fields.
 */
export const payloadSchemas = {
  'connection.update': z.looseObject({
    ...envelope,
    connection: z.enum(['connecting', 'open', 'close']),
    status: z.string().optional(),
    reason: z.string().optional(),
    since: z.iso.datetime().optional(),
    lastDisconnect: z
      .object({ statusCode: z.number().optional(), message: z.string().optional() })
      .optional(),
    isNewLogin: z.boolean().optional(),
    isOnline: z.boolean().optional(),
    receivedPendingNotifications: z.boolean().optional(),
    snapshot,
  }),
  'auth.qr': z.object({ ...envelope, qr: z.string(), expiresAt: z.iso.datetime(), snapshot }),
  'auth.pairing-code': z.object({
    ...envelope,
    code: z.string(),
    phone: z.string(),
    expiresAt: z.iso.datetime(),
    snapshot,
  }),
  'creds.update': z.object({
    ...envelope,
    me: z.object({ id: jid, lid: z.string().optional(), name: z.string().optional() }).optional(),
    platform: z.string().optional(),
    registered: z.boolean().optional(),
  }),
  'messages.upsert': z.object({
    ...envelope,
    messages: z.array(message).min(1),
    type: z.enum(['notify', 'append']),
    requestId: z.string().optional(),
    history,
  }),
  'messages.update': z.object({
    ...envelope,
    updates: z.array(z.object({ key: messageKey, update: z.record(z.string(), z.unknown()) })).min(1),
  }),
  'messages.reaction': z.object({
    ...envelope,
    reactions: z
      .array(
        z.object({
          key: messageKey.describe('the message reacted to'),
          reaction: z.looseObject({ key: messageKey.optional(), text: z.string().optional() }),
        }),
      )
      .min(1),
  }),
  'messages.delete': z.union([
    z.object({ ...envelope, keys: z.array(messageKey).min(1) }),
    z.object({ ...envelope, jid, all: z.literal(true) }),
  ]),
  'chats.upsert': z.object({ ...envelope, chats: z.array(chat).min(1), history }),
  'chats.update': z.object({ ...envelope, chats: z.array(chat).min(1) }),
  'groups.upsert': z.object({ ...envelope, groups: z.array(group).min(1) }),
  'groups.update': z.object({ ...envelope, groups: z.array(groupUpdate).min(1) }),
  'group-participants.update': z.object({
    ...envelope,
    id: jid,
    author: z.string(),
    authorPn: z.string().optional(),
    participants: z.array(participant).min(1),
    action: z.enum(['add', 'remove', 'promote', 'demote', 'modify']),
  }),
  'contacts.upsert': z.object({ ...envelope, contacts: z.array(contact).min(1), history }),
  'contacts.update': z.object({ ...envelope, contacts: z.array(contact).min(1) }),
  'presence.update': z.object({ ...envelope, id: jid, presences: z.record(jid, presence) }),
  call: z.object({ ...envelope, calls: z.array(call).min(1) }),
} as const satisfies Record<EventName, z.ZodType>;

/** What a listener of event `N` receives, as its only argument. */
export type EventPayload<N extends EventName> = z.infer<(typeof payloadSchemas)[N]>;

type WithoutEventId<P> = P extends unknown ? Omit<P, 'eventId'> : never;

/** A payload before the event log gave it its `eventId`. */
export type UnpublishedPayload<N extends EventName> = WithoutEventId<EventPayload<N>>;
