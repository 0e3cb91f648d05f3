import { z } from 'zod';
import { envelope, history, int64, jid, whatsAppObject } from './fields.js';
import { labelChangeSchema } from './messages.js';

const chatFields = {
  name: z.string().nullish().describe('name of a group, or as saved on the phone'),
  displayName: z.string().nullish(),
  username: z.string().nullish(),
  description: z.string().nullish().describe("a group's description"),
  conversationTimestamp: int64.nullish().describe('when something last happened in it, seconds since 1970'),
  lastMessageRecvTimestamp: int64.nullish().describe('when a message last came, seconds since 1970'),
  lastMsgTimestamp: int64.nullish(),
  timestamp: int64.nullish(),
  unreadCount: z
    .number()
    .nullish()
    .describe(
      'in an upsert: how many messages are unread. In an update: how many more; 0: read, -1: marked as unread',
    ),
  unreadMentionCount: z.number().nullish(),
  markedAsUnread: z.boolean().nullish(),
  readOnly: z.boolean().nullish().describe('the account cannot write into it, such as a group that it left'),
  archived: z.boolean().nullish(),
  pinned: int64.nullish().describe('since when it is pinned, ms since 1970; null: no longer'),
  muteEndTime: int64
    .nullish()
    .describe('until when it is mute, ms since 1970; -1 without end, null no longer'),
  locked: z.boolean().nullish().describe('hidden behind the lock of the phone'),
  deleted: z.literal(true).optional().describe('update: the account deleted the chat'),
  labels: labelChangeSchema.optional().describe('update: labels that were put on it or taken off'),
  newsletter: whatsAppObject.optional().describe('update of a channel: the settings that changed'),
  ephemeralExpiration: z.number().nullish().describe('seconds after which messages disappear; null: never'),
  ephemeralSettingTimestamp: int64.nullish().describe('when that was set'),
  disappearingMode: whatsAppObject.nullish().describe('who made messages disappear'),
  pnJid: jid.nullish().describe("the person's id by phone number"),
  lidJid: jid.nullish().describe("the person's LID"),
  accountLid: jid.nullish(),
  newJid: jid.nullish().describe('the id that the chat has now'),
  oldJid: jid.nullish().describe('the id that it had before'),
  shareOwnPn: z.boolean().nullish().describe('the person sees the phone number of this account'),
  pnhDuplicateLidThread: z.boolean().nullish(),
  lidOriginType: z.string().nullish(),
  participant: z.array(whatsAppObject).nullish().describe('of the history: members of a group'),
  createdAt: int64.nullish(),
  createdBy: jid.nullish(),
  isParentGroup: z.boolean().nullish().describe('a community'),
  parentGroupId: jid.nullish().describe('the community that the group belongs to'),
  isDefaultSubgroup: z.boolean().nullish().describe("a community's announcements"),
  suspended: z.boolean().nullish(),
  terminated: z.boolean().nullish(),
  support: z.boolean().nullish(),
  notSpam: z.boolean().nullish(),
  wallpaper: whatsAppObject.nullish(),
  mediaVisibility: z.number().int().nullish(),
  commentsCount: z.number().nullish(),
  endOfHistoryTransfer: z.boolean().nullish().describe('of the history: nothing older comes by itself'),
  endOfHistoryTransferType: z
    .number()
    .int()
    .nullish()
    .describe('0: the phone has older messages, 1: it has none, 2: it may be asked for them'),
  systemMessageToInsert: z.number().int().nullish(),
  capiCreatedGroup: z.boolean().nullish(),
  limitSharing: z.boolean().nullish(),
  limitSharingSettingTimestamp: int64.nullish(),
  limitSharingTrigger: z.number().int().nullish(),
  limitSharingInitiatedByMe: z.boolean().nullish(),
  maibaAiThreadEnabled: z.boolean().nullish(),
};

export const chatSchema = z
  .object({ id: jid.describe('a person, a group or a broadcast list'), ...chatFields })
  .meta({ id: 'Chat', title: 'Chat' });

export const chatsUpsertSchema = z.object({ ...envelope, chats: z.array(chatSchema).min(1), ...history });
export const chatsUpdateSchema = z.object({ ...envelope, chats: z.array(chatSchema).min(1) });
