/** The seventeen events a client can subscribe to, in the order of the public contract. */
export const EVENT_NAMES = [
  'connection.update',
  'auth.qr',
  'auth.pairing-code',
  'creds.update',
  'messages.upsert',
  'messages.update',
  'messages.reaction',
  'messages.delete',
  'chats.upsert',
  'chats.update',
  'groups.upsert',
  'groups.update',
  'group-participants.update',
  'contacts.upsert',
  'contacts.update',
  'presence.update',
  'call',
] as const;

export type EventName = (typeof EVENT_NAMES)[number];

const names: ReadonlySet<string> = new Set(EVENT_NAMES);

export function isEventName(name: string): name is EventName {
  return names.has(name);
}

/**
 * The events that a pattern names: `*` is all of them, `messages.*` all whose name begins with `messages.`,
 * anything else the event of that very name. An unknown name or an empty wildcard gives an empty list.
 */
export function expandEventPattern(pattern: string): readonly EventName[] {
  if (pattern === '*') return EVENT_NAMES;
  if (pattern.endsWith('.*')) {
    const family = pattern.slice(0, -1);
    return EVENT_NAMES.filter((name) => name.startsWith(family));
  }
  return isEventName(pattern) ? [pattern] : [];
}
