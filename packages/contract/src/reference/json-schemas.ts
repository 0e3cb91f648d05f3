import { z } from 'zod';
import type { EventName } from '../event-names.js';
import { payloadSchemas } from '../payloads.js';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What each event is about, in the words of the public contract. */
export const SUMMARIES: Readonly<Record<EventName, string>> = {
  'connection.update': 'Connection status changes',
  'auth.qr': 'QR code generated',
  'auth.pairing-code': 'Pairing code generated',
  'creds.update': 'Credentials updated',
  'messages.upsert': 'New messages received',
  'messages.update': 'Messages updated',
  'messages.reaction': 'Message reactions',
  'messages.delete': 'Messages deleted',
  'chats.upsert': 'New chats created',
  'chats.update': 'Chats updated',
  'groups.upsert': 'New groups created',
  'groups.update': 'Groups updated',
  'group-participants.update': 'Group participants changed',
  'contacts.upsert': 'New contacts added',
  'contacts.update': 'Contacts updated',
  'presence.update': 'Online status updates',
  call: 'Call events',
};

/** The JSON Schema (draft 2020-12) of a Zod schema; objects that have an id stand in `$defs`. Further fields may come. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input' });
}

/** The JSON Schema of an event's payload. */
export function payloadJsonSchema(event: EventName): JsonSchema {
  const { $schema, ...schema } = jsonSchemaOf(payloadSchemas[event]);
  return {
    ...($schema === undefined ? {} : { $schema }),
    $id: `${event}.json`,
    title: event,
    description: SUMMARIES[event],
    ...schema,
  };
}

/** The objects that several payloads share, by their ids, in the order of the events that have them. */
export function sharedObjects(schemas: readonly JsonSchema[]): ReadonlyMap<string, JsonSchema> {
  return new Map(schemas.flatMap(({ $defs }) => Object.entries($defs ?? {})));
}
