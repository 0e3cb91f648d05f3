import { PUBLISHED_FIELDS, type PublishedObject } from '@wafleet/contract';
import type {
  Contact,
  GroupMetadata,
  GroupParticipant,
  PresenceData,
  WACallEvent,
} from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { fieldsOf, typeOf } from '../testing/whatsapp-schema.js';

/** Fields of WhatsApp's objects that no payload has, and why. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Conversation: {
    messages: 'they come as messages.upsert',
    tcToken: 'a secret',
    tcTokenTimestamp: 'of a secret',
    tcTokenSenderTimestamp: 'of a secret',
    contactPrimaryIdentityKey: 'a key',
    pHash: 'a hash of devices, for encryption',
  },
  WebMessageInfo: {
    messageSecret: 'a secret',
    reportingTokenInfo: 'a secret',
    futureproofData: 'bytes of unknown meaning',
    quarantinedMessage: 'a message that WhatsApp has found to be harmful, as bytes',
    mediaData: 'a path on the phone',
    quotedStickerData: 'a path on the phone',
    originalSelfAuthorUserJidString: 'for migrating the phone’s own database',
  },
  MessageKey: {},
  UserReceipt: {},
  Reaction: {},
};

describe('each field of WhatsApp’s schema is published or left out for a reason', () => {
  it.each([
    ['Conversation', 'chat'],
    ['WebMessageInfo', 'message'],
    ['WebMessageInfo', 'messageUpdate'],
    ['MessageKey', 'messageKey'],
    ['UserReceipt', 'receipt'],
    ['Reaction', 'reaction'],
  ] satisfies [string, PublishedObject][])('%s as %s', (type, kind) => {
    const { names } = PUBLISHED_FIELDS[kind];
    const missing = fieldsOf(typeOf(type)).filter(({ name }) => !names.has(name));
    expect(missing.map(({ name }) => name).sort()).toEqual(Object.keys(LEFT_OUT[type] ?? {}).sort());
  });
});

/** Every field of a type of Baileys'. The compiler checks that the list is complete. */
type AllOf<T> = Readonly<Record<keyof T, true>>;

const contact: AllOf<Contact> = {
  id: true,
  lid: true,
  phoneNumber: true,
  name: true,
  notify: true,
  username: true,
  verifiedName: true,
  imgUrl: true,
  status: true,
};
const participant: AllOf<GroupParticipant> = { ...contact, isAdmin: true, isSuperAdmin: true, admin: true };
const group: AllOf<GroupMetadata> = {
  id: true,
  notify: true,
  addressingMode: true,
  owner: true,
  ownerPn: true,
  ownerUsername: true,
  owner_country_code: true,
  subject: true,
  subjectOwner: true,
  subjectOwnerPn: true,
  subjectOwnerUsername: true,
  subjectTime: true,
  creation: true,
  desc: true,
  descOwner: true,
  descOwnerPn: true,
  descOwnerUsername: true,
  descId: true,
  descTime: true,
  linkedParent: true,
  restrict: true,
  announce: true,
  memberAddMode: true,
  joinApprovalMode: true,
  isCommunity: true,
  isCommunityAnnounce: true,
  size: true,
  participants: true,
  ephemeralDuration: true,
  inviteCode: true,
  author: true,
  authorPn: true,
  authorUsername: true,
};
const presence: AllOf<PresenceData> = { lastKnownPresence: true, lastSeen: true, groupOnlineCount: true };
const call: AllOf<WACallEvent> = {
  chatId: true,
  from: true,
  callerPn: true,
  isGroup: true,
  groupJid: true,
  id: true,
  date: true,
  isVideo: true,
  status: true,
  offline: true,
  latencyMs: true,
};

describe('each field of Baileys’ own types is published', () => {
  it.each([
    ['contact', contact],
    ['participant', participant],
    ['group', group],
    ['groupUpdate', group],
    ['presence', presence],
    ['call', call],
  ] satisfies [PublishedObject, object][])('%s', (kind, fields) => {
    const { names } = PUBLISHED_FIELDS[kind];
    expect(Object.keys(fields).filter((field) => !names.has(field))).toEqual([]);
  });
});
