import { z } from 'zod';
import { envelope, history, int64, jid, whatsAppObject } from './fields.js';
import { messageKeySchema } from './message-key.js';

const content = whatsAppObject.meta({
  id: 'MessageContent',
  title: 'Message content',
  description:
    "WhatsApp's protobuf `Message` as JSON: one field per kind, such as `conversation`, `extendedTextMessage`, `imageMessage` or `protocolMessage`. Keys of media are in it, keys of the encryption are not.",
});

/** When one reader got, read or played a message. */
export const receiptSchema = z
  .object({
    userJid: jid.describe('who'),
    userJidAlt: jid.optional().describe('who, by the other id'),
    receiptTimestamp: int64.optional().describe('when it was delivered'),
    readTimestamp: int64.optional().describe('when it was read'),
    playedTimestamp: int64.optional().describe('when it was played'),
    pendingDeviceJid: z.array(jid).optional().describe('devices that it did not reach yet'),
    deliveredDeviceJid: z.array(jid).optional().describe('devices that it has reached'),
  })
  .meta({ id: 'Receipt', title: 'Receipt' });

export const reactionSchema = z
  .object({
    key: messageKeySchema.optional().describe('the message that carried the reaction'),
    text: z.string().optional().describe('the emoji; empty when the reaction is taken back'),
    groupingKey: z.string().optional().describe('by which equal reactions are counted'),
    senderTimestampMs: int64.optional().describe('when, ms since 1970'),
    unread: z.boolean().optional(),
    count: z.number().optional().describe('in channels, where no person is named: how many'),
  })
  .meta({ id: 'Reaction', title: 'Reaction' });

export const labelChangeSchema = z
  .object({
    added: z.array(z.string()).optional().describe('ids of labels that were put on it'),
    removed: z.array(z.string()).optional().describe('ids of labels that were taken off'),
  })
  .meta({ id: 'LabelChange', title: 'Change of labels' });

/** What of a message is missing, and why. */
export const missingPartSchema = z
  .object({
    type: z
      .enum([
        'content',
        'edit',
        'event-edit',
        'poll-edit',
        'poll-option',
        'scheduled',
        'reaction',
        'comment',
        'vote',
        'event-response',
        'unknown',
      ])
      .describe(
        'what is missing: `content` of the message itself; else the message carries something about another one that cannot be opened, such as an `edit` or a `reaction`; `unknown` is of a later version of WhatsApp',
      ),
    reason: z
      .enum([
        'view-once',
        'hosted',
        'bot',
        'asked-phone',
        'too-old',
        'too-large',
        'expired',
        'not-decrypted',
        'keys-used',
        'unsupported',
        'unknown-message',
        'not-authentic',
        'not-the-author',
        'malformed',
      ])
      .describe(
        'for a `content`: `view-once`, `hosted` and `bot` are given to phones only; `asked-phone`: the phone was asked for it, it may come under the same `key`; `too-old`: came without a content and is older than 14 days, so the phone is not asked; `too-large`: has more than 1 MiB, which no app of WhatsApp sends; `expired`: a status older than 24 hours that could not be decrypted; `not-decrypted`: the sender was asked to send it again; `keys-used`: the keys that it was encrypted with are gone; `unsupported`: an encryption or sender of a later version of WhatsApp. Of the others: `unknown-message`: the message that it is about is not known, or no longer; `not-authentic`: it was not encrypted for that message by this sender; `not-the-author`: somebody else edits; `malformed`; `unsupported`',
      ),
    target: messageKeySchema.optional().describe('the message that it is about'),
  })
  .meta({ id: 'MissingPart', title: 'What is missing of a message' });

export type MissingPart = z.infer<typeof missingPartSchema>;

/** The fields of a message besides its key; in an update only those that changed. */
const messageFields = {
  message: content.nullish().describe('the content; null once it was deleted for everyone'),
  messageTimestamp: int64.optional().describe('when it was sent, seconds since 1970'),
  status: z
    .number()
    .int()
    .optional()
    .describe(
      'own messages: 0 refused, 1 on its way, 2 taken by WhatsApp, 3 delivered, 4 read, 5 played; in groups see `userReceipt`',
    ),
  participant: jid.optional().describe('the author, where the key does not name it'),
  pushName: z.string().nullish().describe('the name that the sender gave themselves'),
  verifiedBizName: z.string().optional().describe('the verified name of a business'),
  broadcast: z.boolean().optional().describe('came by a broadcast list, or is a status'),
  multicast: z.boolean().optional(),
  starred: z.boolean().optional().describe('starred by this account'),
  ignore: z.boolean().optional(),
  messageStubType: z
    .number()
    .int()
    .optional()
    .describe(
      "a notice instead of a content, by its number in WhatsApp's `WebMessageInfo.StubType`: 1 deleted for everyone, 2 could not be decrypted (yet: the same `key` may come again with its content), 20–32 changes of a group, 40–41 a missed call, …",
    ),
  messageStubParameters: z
    .array(z.string())
    .optional()
    .describe('what the notice is about: the new subject, participants as JSON, the code of an error, …'),
  duration: z.number().optional().describe('seconds, of a call'),
  labels: z.array(z.string()).optional().describe('ids of labels'),
  userReceipt: z.array(receiptSchema).optional().describe('in groups and for statuses: receipts of readers'),
  reactions: z.array(reactionSchema).optional().describe('of the history: reactions to it'),
  pollUpdates: z
    .array(whatsAppObject)
    .optional()
    .describe(
      'votes in a poll of the last seven days: `vote.selectedOptions` has the SHA-256 of the name of each option that was chosen, none when the vote was taken back; a person’s last vote counts',
    ),
  eventResponses: z
    .array(whatsAppObject)
    .optional()
    .describe(
      'replies to an invitation of the last seven days: `eventResponseMessage.response` 1 comes, 2 does not, 3 may',
    ),
  keepInChat: whatsAppObject.optional().describe('kept although messages disappear'),
  pinInChat: whatsAppObject.optional().describe('pinned in its chat'),
  ephemeralStartTimestamp: int64.optional().describe('since when its time to disappear runs'),
  ephemeralDuration: z.number().optional().describe('seconds until it disappears'),
  ephemeralOffToOn: z.boolean().optional(),
  ephemeralOutOfSync: z.boolean().optional(),
  revokeMessageTimestamp: int64.optional().describe('when it was deleted for everyone'),
  messageC2STimestamp: int64.optional().describe('when WhatsApp got it'),
  mediaCiphertextSha256: z.base64().optional().describe('hash of the encrypted file'),
  urlText: z.boolean().optional(),
  urlNumber: z.boolean().optional(),
  clearMedia: z.boolean().optional(),
  paymentInfo: whatsAppObject.optional(),
  quotedPaymentInfo: whatsAppObject.optional(),
  finalLiveLocation: whatsAppObject.optional().describe('where a shared live location ended'),
  photoChange: whatsAppObject.optional().describe('picture of a group, before and after'),
  bizPrivacyStatus: z.number().int().optional().describe('who else reads along for a business'),
  statusPsa: whatsAppObject.optional(),
  pollAdditionalMetadata: whatsAppObject.optional(),
  agentId: z.string().optional().describe('which person of a business wrote it'),
  statusAlreadyViewed: z.boolean().optional(),
  premiumMessageInfo: whatsAppObject.optional(),
  is1PBizBotMessage: z.boolean().optional(),
  isGroupHistoryMessage: z.boolean().optional(),
  botMessageInvokerJid: jid.optional(),
  botTargetId: z.string().optional(),
  commentMetadata: whatsAppObject.optional(),
  newsletterServerId: int64.optional().describe("a channel's own number of it"),
  eventAdditionalMetadata: whatsAppObject.optional(),
  isMentionedInStatus: z.boolean().optional(),
  statusMentions: z.array(z.string()).optional(),
  statusMentionSources: z.array(z.string()).optional(),
  statusMentionMessageInfo: whatsAppObject.optional(),
  targetMessageId: messageKeySchema.optional(),
  messageAddOns: z.array(whatsAppObject).optional(),
  isSupportAiMessage: z.boolean().optional(),
  supportAiCitations: z.array(whatsAppObject).optional(),
  groupHistoryIndividualMessageInfo: whatsAppObject.optional(),
  groupHistoryBundleInfo: whatsAppObject.optional(),
  interactiveMessageAdditionalMetadata: whatsAppObject.optional(),
  retryCount: z.number().optional().describe('how often it was sent again until it could be decrypted'),
};

/** A message; its content is absent in notices such as a group's change, or where it could not be read. */
export const messageSchema = z
  .object({
    key: messageKeySchema,
    unavailable: missingPartSchema.optional().describe('what of the message is missing, and why'),
    ...messageFields,
  })
  .meta({ id: 'Message', title: 'Message' });

export const messageUpdateSchema = z
  .object({
    key: messageKeySchema.optional().describe('with a deletion for everyone: the message that deletes'),
    ...messageFields,
    labelChange: labelChangeSchema.optional().describe('labels that were put on it or taken off'),
    views: z.number().optional().describe('in channels: how often it was seen'),
  })
  .meta({
    id: 'MessageUpdate',
    title: 'Change of a message',
    description:
      'Only the fields that changed. An edit stands in `message.editedMessage.message`, of a poll or an event too; an option that was added to a poll in `message.pollAddOptionMessage.addOption.optionName`; a deletion for everyone is `message: null` with `messageStubType: 1`.',
  });

export const messagesUpsertSchema = z.object({
  ...envelope,
  messages: z.array(messageSchema).min(1),
  type: z
    .enum(['notify', 'append'])
    .describe(
      '`notify`: just came. `append`: waited while the session was away, or was written by this account, or is a notice or history',
    ),
  requestId: z
    .string()
    .optional()
    .describe("the content comes from the account's own phone, which was asked for it by this request"),
  ...history,
});

export const messagesUpdateSchema = z.object({
  ...envelope,
  updates: z
    .array(
      z.object({
        key: messageKeySchema.describe('which message'),
        update: messageUpdateSchema.describe('what changed'),
      }),
    )
    .min(1),
});

export const messagesReactionSchema = z.object({
  ...envelope,
  reactions: z
    .array(
      z.object({
        key: messageKeySchema.describe('the message reacted to'),
        reaction: reactionSchema,
      }),
    )
    .min(1),
});

export const messagesDeleteSchema = z.union([
  z.object({ ...envelope, keys: z.array(messageKeySchema).min(1).describe('the messages that are gone') }),
  z.object({
    ...envelope,
    jid: jid.describe('the chat whose messages are all gone'),
    jidAlt: jid.optional().describe('the chat by the other id of its person'),
    all: z.literal(true),
  }),
]);
