import type { ChatEntry, ContactEntry } from '@wafleet/store';
import { proto } from '@whiskeysockets/baileys';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../mapping/normalise.js';
import { type ChatChange, type ContactChange, type ListChange, listedIds } from './list-changes.js';

const { READ, PLAYED } = proto.WebMessageInfo.Status;
const READ_STATES: ReadonlySet<JsonValue | undefined> = new Set([READ, PLAYED]);

/** Contents that change another message, or are for devices, and what stands beside a content. */
const NOT_SHOWN: ReadonlySet<string> = new Set([
  'protocolMessage',
  'reactionMessage',
  'encReactionMessage',
  'encCommentMessage',
  'pollUpdateMessage',
  'encEventResponseMessage',
  'secretEncryptedMessage',
  'keepInChatMessage',
  'pinInChatMessage',
  'messageContextInfo',
  'senderKeyDistributionMessage',
]);

/** Longer names are cut: others choose them. */
const MAX_NAME = 200;
/** As long as ids in calls. Others choose them too. */
const MAX_MESSAGE_ID = 255;
const MAX_LABELS = 50;
const MAX_SECOND = 2 ** 32 - 1;
/** Times of mutes below this are seconds, in some histories. */
const FIRST_MS = 1e11;

interface Source {
  /** Whether a JID is the account's. */
  readonly isMine: (jid: string) => boolean;
}

type Rule = (payload: JsonObject, source: Source) => readonly ListChange[];

/** What the events of the contract say of chats and contacts. Other events say nothing of them. */
const RULES: Partial<Record<MappedEvent['event'], Rule>> = {
  'messages.upsert': (payload) =>
    objects(payload.messages).flatMap((message) => ofMessage(message, isPast(payload))),
  'messages.update': ({ updates }, source) => objects(updates).flatMap((update) => ofUpdate(update, source)),
  'messages.delete': ofDeletion,
  'chats.upsert': (payload) =>
    objects(payload.chats).flatMap((chat) => ofChat(chat, { isPast: isPast(payload), isWhole: true })),
  'chats.update': (payload) =>
    objects(payload.chats).flatMap((chat) => ofChat(chat, { isPast: isPast(payload), isWhole: false })),
  'contacts.upsert': (payload) =>
    objects(payload.contacts).flatMap((each) => ofContact(each, isPast(payload))),
  'contacts.update': (payload) =>
    objects(payload.contacts).flatMap((each) => ofContact(each, isPast(payload))),
  'groups.upsert': (payload) => objects(payload.groups).flatMap((group) => ofGroup(group)),
  'groups.update': (payload) => objects(payload.groups).flatMap((group) => ofGroup(group)),
  'group-participants.update': ofParticipants,
};

/** What an event says of chats and contacts, in order. */
export function changesOf({ event, payload }: MappedEvent, source: Source): readonly ListChange[] {
  return RULES[event]?.(payload, source) ?? [];
}

function objects(list: JsonValue | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function texts(list: JsonValue | undefined): string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}

function isPast({ history }: JsonObject): boolean {
  return history === true;
}

/** A time in seconds since 1970, or undefined. */
function toSecond(value: JsonValue | undefined): number | undefined {
  const second =
    typeof value === 'string' || typeof value === 'number' ? Math.floor(Number(value)) : Number.NaN;
  return second > 0 && second <= MAX_SECOND ? second : undefined;
}

function toName(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? cut(value) : undefined;
}

/** Half of a character is not left over: not every reader of JSON takes one. */
function cut(name: string): string {
  return name.length <= MAX_NAME ? name : name.slice(0, MAX_NAME).replace(/[\ud800-\udbff]$/, '');
}

function isShown(content: JsonValue | undefined): boolean {
  return isJsonObject(content) && Object.keys(content).some((field) => !NOT_SHOWN.has(field));
}

function ofMessage({ key, message, messageTimestamp }: JsonObject, past: boolean): ChatChange[] {
  if (!isJsonObject(key) || !isShown(message)) return [];
  const ids = listedIds(key.remoteJid, key.remoteJidAlt);
  const at = toSecond(messageTimestamp);
  if (ids === undefined || at === undefined || typeof key.id !== 'string') return [];
  const last = { id: key.id, at, fromMe: key.fromMe === true };
  const named = key.id.length <= MAX_MESSAGE_ID ? { last } : {};
  return [{ list: 'chats', ids, isPast: past, creates: true, set: { at }, ...named }];
}

/** What the account has read on another of its devices: WhatsApp sends a receipt for it. */
function ofUpdate({ key, update }: JsonObject, { isMine }: Source): ChatChange[] {
  if (!isJsonObject(key) || !isJsonObject(update) || typeof key.id !== 'string') return [];
  const isRead =
    (key.fromMe === false && READ_STATES.has(update.status)) ||
    objects(update.userReceipt).some(
      ({ userJid, readTimestamp }) => typeof userJid === 'string' && isMine(userJid) && readTimestamp != null,
    );
  const ids = isRead ? listedIds(key.remoteJid, key.remoteJidAlt) : undefined;
  return ids === undefined ? [] : [{ list: 'chats', ids, read: [key.id] }];
}

function ofDeletion({ jid, jidAlt, all, keys }: JsonObject): ChatChange[] {
  if (all === true) {
    const ids = listedIds(jid, jidAlt);
    return ids === undefined ? [] : [{ list: 'chats', ids, gone: 'all' }];
  }
  return objects(keys).flatMap(({ remoteJid, remoteJidAlt, id }): ChatChange[] => {
    const ids = listedIds(remoteJid, remoteJidAlt);
    return ids === undefined || typeof id !== 'string' ? [] : [{ list: 'chats', ids, gone: [id] }];
  });
}

function ofChat(
  chat: JsonObject,
  { isPast: past, isWhole }: { readonly isPast: boolean; readonly isWhole: boolean },
): ChatChange[] {
  const ids = listedIds(chat.id, chat.pnJid, chat.lidJid);
  if (ids === undefined) return [];
  if (chat.deleted === true) return [{ list: 'chats', ids, isDeleted: true }];
  const { unreadCount } = chat;
  const moreUnread = !isWhole && typeof unreadCount === 'number' && unreadCount > 0 ? unreadCount : 0;
  const labels = isJsonObject(chat.labels) ? chat.labels : {};
  return [
    {
      ...{ list: 'chats', ids, isPast: past, creates: true, moreUnread },
      set: { ...flagsOf(chat), ...unreadOf(chat, isWhole) },
      labels: { added: texts(labels.added).slice(0, MAX_LABELS), removed: texts(labels.removed) },
    },
  ];
}

function flagsOf(chat: JsonObject): Partial<ChatEntry> {
  const { archived, pinned, muteEndTime, readOnly, locked, ephemeralExpiration } = chat;
  const times = [chat.conversationTimestamp, chat.lastMsgTimestamp, chat.lastMessageRecvTimestamp];
  const at = times.map(toSecond).find((time) => time !== undefined);
  const name = toName(chat.name) ?? toName(chat.displayName);
  return {
    ...(name === undefined ? {} : { name }),
    ...(at === undefined ? {} : { at }),
    ...(typeof archived === 'boolean' ? { archived } : {}),
    ...(pinned === undefined ? {} : { pinned: pinned !== null && Number(pinned) > 0 }),
    ...(muteEndTime === undefined ? {} : { mutedUntil: toMute(muteEndTime) }),
    ...(typeof readOnly === 'boolean' ? { readOnly } : {}),
    ...(typeof locked === 'boolean' ? { locked } : {}),
    ...(ephemeralExpiration === undefined ? {} : { disappearing: Number(ephemeralExpiration ?? 0) || 0 }),
  };
}

function toMute(until: JsonValue): number {
  const time = Number(until ?? 0);
  if (!Number.isFinite(time) || time === 0) return 0;
  if (time < 0) return -1;
  return time < FIRST_MS ? time * 1_000 : time;
}

function unreadOf({ unreadCount, markedAsUnread }: JsonObject, isWhole: boolean): Partial<ChatEntry> {
  const marked = typeof markedAsUnread === 'boolean' ? { isMarkedUnread: markedAsUnread } : {};
  if (typeof unreadCount !== 'number') return marked;
  if (unreadCount < 0) return { isMarkedUnread: true };
  if (unreadCount === 0) return { unread: 0, isMarkedUnread: false, ...marked };
  return isWhole ? { unread: unreadCount, ...marked } : marked;
}

const NAMES = [
  ['name', 'name'],
  ['notify', 'pushName'],
  ['verifiedName', 'businessName'],
  ['username', 'username'],
] as const satisfies readonly (readonly [string, keyof ContactEntry])[];

function ofContact(contact: JsonObject, past: boolean): ContactChange[] {
  const ids = listedIds(contact.id, contact.lid, contact.phoneNumber);
  if (ids === undefined || ids.group !== undefined) return [];
  const set: Record<string, string | boolean | null> = {};
  for (const [field, name] of NAMES) {
    const value = contact[field];
    if (value === null || value === '') set[name] = null;
    else if (typeof value === 'string') set[name] = cut(value);
  }
  // Baileys takes the username for the name of a chat in a history that has no other.
  if (past && set.name === set.username) delete set.name;
  if (typeof contact.blocked === 'boolean') set.blocked = contact.blocked;
  return [{ list: 'contacts', ids, isPast: past, set }];
}

function ofGroup({ id, subject, ephemeralDuration }: JsonObject): ChatChange[] {
  const ids = listedIds(id);
  const name = toName(subject);
  const disappearing = typeof ephemeralDuration === 'number' ? { disappearing: ephemeralDuration } : {};
  if (ids === undefined || (name === undefined && ephemeralDuration === undefined)) return [];
  const set = { ...(name === undefined ? {} : { name }), ...disappearing };
  return [{ list: 'chats', ids, creates: name !== undefined, set }];
}

/** Whether the account is in a group. */
function ofParticipants({ id, action, participants }: JsonObject, { isMine }: Source): ChatChange[] {
  const ids = listedIds(id);
  const isOfMe = objects(participants).some((participant) =>
    [participant.id, participant.lid, participant.phoneNumber].some(
      (each) => typeof each === 'string' && isMine(each),
    ),
  );
  if (ids === undefined || !isOfMe || (action !== 'add' && action !== 'remove')) return [];
  return [{ list: 'chats', ids, set: { readOnly: action === 'remove' } }];
}
