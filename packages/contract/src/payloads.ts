import { z } from 'zod';
import type { EventName } from './event-names.js';
import { accountSettingsSchema, credsUpdateSchema, labelSchema } from './payloads/account.js';
import { callEventSchema, callSchema } from './payloads/calls.js';
import { chatSchema, chatsUpdateSchema, chatsUpsertSchema } from './payloads/chats.js';
import { connectionUpdateSchema } from './payloads/connection.js';
import { contactSchema, contactsUpdateSchema, contactsUpsertSchema } from './payloads/contacts.js';
import {
  groupParticipantsSchema,
  groupSchema,
  groupsUpdateSchema,
  groupsUpsertSchema,
  groupUpdateSchema,
  participantSchema,
} from './payloads/groups.js';
import { pairingCodeEventSchema, qrSchema } from './payloads/linking.js';
import { messageKeySchema } from './payloads/message-key.js';
import {
  messageSchema,
  messagesDeleteSchema,
  messagesReactionSchema,
  messagesUpdateSchema,
  messagesUpsertSchema,
  messageUpdateSchema,
  reactionSchema,
  receiptSchema,
} from './payloads/messages.js';
import { presenceSchema, presenceUpdateSchema } from './payloads/presence.js';

/**
 * The payload of each event: one JSON object. Where WhatsApp has a list it stands under a plural noun. The field
 * tables of docs/events.md, docs/schemas and docs/asyncapi.json are made from these schemas.
 */
export const payloadSchemas = {
  'connection.update': connectionUpdateSchema,
  'auth.qr': qrSchema,
  'auth.pairing-code': pairingCodeEventSchema,
  'creds.update': credsUpdateSchema,
  'messages.upsert': messagesUpsertSchema,
  'messages.update': messagesUpdateSchema,
  'messages.reaction': messagesReactionSchema,
  'messages.delete': messagesDeleteSchema,
  'chats.upsert': chatsUpsertSchema,
  'chats.update': chatsUpdateSchema,
  'groups.upsert': groupsUpsertSchema,
  'groups.update': groupsUpdateSchema,
  'group-participants.update': groupParticipantsSchema,
  'contacts.upsert': contactsUpsertSchema,
  'contacts.update': contactsUpdateSchema,
  'presence.update': presenceUpdateSchema,
  call: callEventSchema,
} as const satisfies Record<EventName, z.ZodType>;

export type { MissingPart } from './payloads/messages.js';

/** What a listener of event `N` receives, as its only argument. */
export type EventPayload<N extends EventName> = z.infer<(typeof payloadSchemas)[N]>;

type WithoutEventId<P> = P extends unknown ? Omit<P, 'eventId'> : never;

/** A payload before the event log gave it its `eventId`. */
export type UnpublishedPayload<N extends EventName> = WithoutEventId<EventPayload<N>>;

interface PublishedFields {
  readonly names: ReadonlySet<string>;
  /** Fields whose null has a meaning. */
  readonly nullable: ReadonlySet<string>;
}

function fieldsOf({ shape }: z.ZodObject): PublishedFields {
  const fields = Object.entries(shape);
  const nullable = fields.filter(([, schema]) => z.safeParse(schema, null).success);
  return { names: new Set(Object.keys(shape)), nullable: new Set(nullable.map(([name]) => name)) };
}

/**
 * What may be published of WhatsApp's own objects, field by field. A field that a later version of WhatsApp or Baileys
 * adds is not published until a schema has it.
 */
export const PUBLISHED_FIELDS = {
  messageKey: fieldsOf(messageKeySchema),
  message: fieldsOf(messageSchema),
  messageUpdate: fieldsOf(messageUpdateSchema),
  reaction: fieldsOf(reactionSchema),
  receipt: fieldsOf(receiptSchema),
  chat: fieldsOf(chatSchema),
  contact: fieldsOf(contactSchema),
  group: fieldsOf(groupSchema),
  groupUpdate: fieldsOf(groupUpdateSchema),
  participant: fieldsOf(participantSchema),
  presence: fieldsOf(presenceSchema),
  call: fieldsOf(callSchema),
  label: fieldsOf(labelSchema),
  accountSettings: fieldsOf(accountSettingsSchema),
} as const;

/** One of WhatsApp's own objects that payloads hold. */
export type PublishedObject = keyof typeof PUBLISHED_FIELDS;
