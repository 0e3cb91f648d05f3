import type { EventName } from './event-names.js';

/** What an API key may be allowed, each on its own: no scope contains another. */
export const KEY_SCOPES = [
  'events:read',
  'sessions:read',
  'sessions:write',
  'sessions:export',
  'messages:write',
  'contacts:read',
  'contacts:write',
  'chats:read',
  'chats:write',
  'profile:read',
  'profile:write',
  'groups:read',
  'groups:write',
  'channels:read',
  'channels:write',
  'business:read',
  'business:write',
] as const;

export type KeyScope = (typeof KEY_SCOPES)[number];

const scopes: ReadonlySet<string> = new Set(KEY_SCOPES);

export function isKeyScope(text: string): text is KeyScope {
  return scopes.has(text);
}

/**
 * The events that also need `sessions:write`, besides the `events:read` that all events need: a client that sees one of
 * them can link the session to a phone of its own.
 */
export const LINKING_EVENTS: ReadonlySet<EventName> = new Set(['auth.qr', 'auth.pairing-code']);
