import type { ListedChat, ListedContact } from '@wafleet/contract';
import type { ChatEntry, ContactEntry } from '@wafleet/store';

function toInstant(ms: number | undefined): string | null {
  return ms === undefined || Number.isNaN(new Date(ms).getTime()) ? null : new Date(ms).toISOString();
}

/** A chat as clients see it. @param contact of a chat with a person: what the list of contacts has of the person. */
export function toListedChat(
  id: string,
  entry: ChatEntry,
  contact: ContactEntry | undefined,
  now: number,
): ListedChat {
  const { mutedUntil = 0, at } = entry;
  const isMuted = mutedUntil === -1 || mutedUntil > now;
  return {
    id,
    phone: entry.phone ?? null,
    lid: entry.lid ?? null,
    name: contact?.name ?? entry.name ?? contact?.businessName ?? contact?.pushName ?? null,
    unreadCount: entry.unread ?? 0,
    markedAsUnread: entry.isMarkedUnread ?? false,
    archived: entry.archived ?? false,
    pinned: entry.pinned ?? false,
    muted: isMuted,
    mutedUntil: isMuted && mutedUntil > 0 ? toInstant(mutedUntil) : null,
    locked: entry.locked ?? false,
    readOnly: entry.readOnly ?? false,
    disappearing: entry.disappearing ?? 0,
    labels: entry.labels ?? [],
    lastMessageAt: toInstant(at === undefined ? undefined : at * 1_000),
    lastMessageId: entry.last?.id ?? null,
  };
}

/** A contact as clients see it. */
export function toListedContact(id: string, entry: ContactEntry): ListedContact {
  return {
    id,
    phone: entry.phone ?? null,
    lid: entry.lid ?? null,
    name: entry.name ?? null,
    pushName: entry.pushName ?? null,
    businessName: entry.businessName ?? null,
    username: entry.username ?? null,
    blocked: entry.blocked ?? false,
  };
}
