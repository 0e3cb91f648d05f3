import { type BaileysEventMap, proto, type WAMessage } from '@whiskeysockets/baileys';
import { changesBy } from './changes.js';
import { listEvents } from './list-events.js';
import type { MappedEvent, MappingContext } from './mapped-event.js';
import { toMessageKey } from './message-key.js';
import { isJsonObject, type JsonObject, type JsonValue } from './normalise.js';
import { published } from './published.js';
import { toRevokedKey } from './revoked-key.js';
import { type OpenedMessage, toUnavailable } from './unavailable.js';
import { contentOf, isSeenByBaileys, unwrap } from './unwrap.js';

const { Type } = proto.Message.ProtocolMessage;

/** Protocol messages between the devices of one account: key shares, history and app state, requests. */
const BETWEEN_OWN_DEVICES: ReadonlySet<number> = new Set([
  Type.HISTORY_SYNC_NOTIFICATION,
  Type.APP_STATE_SYNC_KEY_SHARE,
  Type.APP_STATE_SYNC_KEY_REQUEST,
  Type.MSG_FANOUT_BACKFILL_REQUEST,
  Type.INITIAL_SECURITY_NOTIFICATION_SETTING_SYNC,
  Type.APP_STATE_FATAL_EXCEPTION_NOTIFICATION,
  Type.PEER_DATA_OPERATION_REQUEST_MESSAGE,
  Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
  Type.LID_MIGRATION_MAPPING_SYNC,
]);

function isBetweenOwnDevices(message: WAMessage): boolean {
  if (message.category === 'peer') return true;
  const type = contentOf(message.message).protocolMessage?.type;
  return typeof type === 'number' && BETWEEN_OWN_DEVICES.has(type);
}

/** Whether a content that was not empty holds nothing for a person without its secret fields. */
function heldSecretsOnly({ message }: WAMessage, content: JsonValue | undefined): boolean {
  const shown = isJsonObject(content) ? Object.keys(content) : [];
  return Object.keys(message ?? {}).length > 0 && shown.every((field) => field === 'messageContextInfo');
}

/** A message as the contract has it; undefined for one that carries key material or synchronisation only. */
function toMessage(message: WAMessage): JsonObject | undefined {
  const key = toMessageKey(message.key);
  if (key === undefined || isBetweenOwnDevices(message)) return undefined;
  const { unavailable: _, ...fields } = toMessageFields('message', message);
  const unavailable = toUnavailable(message);
  if (unavailable === undefined && heldSecretsOnly(message, fields.message)) return undefined;
  return { key, ...(unavailable === undefined ? {} : { unavailable }), ...fields };
}

/** A message's fields, or those that changed, without its key. */
function toMessageFields(kind: 'message' | 'messageUpdate', message: Partial<WAMessage>): JsonObject {
  const { key: _, ...fields } = published(kind, message);
  const { messageStubParameters, reactions, userReceipt } = message;
  if (Array.isArray(messageStubParameters) && fields.messageStubParameters !== undefined) {
    fields.messageStubParameters = messageStubParameters.map((parameter) => String(parameter));
  }
  if (reactions && fields.reactions !== undefined) fields.reactions = reactions.map(toReaction);
  if (userReceipt && fields.userReceipt !== undefined) {
    fields.userReceipt = userReceipt.map((receipt) => published('receipt', receipt));
  }
  return fields;
}

function toReaction(reaction: proto.IReaction): JsonObject {
  const { key: _, ...fields } = published('reaction', reaction);
  const key = toMessageKey(reaction.key);
  return key === undefined ? fields : { ...fields, key };
}

function present(item: JsonObject | undefined): item is JsonObject {
  return item !== undefined;
}

/** The messages of a list that are published, as the contract has them. */
export function toMessages(messages: readonly WAMessage[]): JsonObject[] {
  return messages.map(toMessage).filter(present);
}

/**
 * New messages. Both of Baileys' kinds are published: messages that waited for an offline device, the account's own and
 * the notices of groups come as `append`. A "delete for everyone" in the batch also gives a `messages.delete` of its
 * target, which Baileys itself emits for "delete for me" only. Baileys emits the change that a message makes to another
 * one as an event of its own, unless it does not see the change: in a wrapper that it does not open, and in a content
 * that the phone was asked for.
 */
export function mapMessagesUpsert(
  { messages, type, requestId }: BaileysEventMap['messages.upsert'],
  context: MappingContext,
): MappedEvent[] {
  const revoked = messages.map((message) => toRevokedKey(message, context)).filter(present);
  const more = { type, ...(requestId ? { requestId } : {}) };
  const unseen = messages
    .filter(
      (message: OpenedMessage) =>
        message.isOpened !== true && (requestId !== undefined || !isSeenByBaileys(unwrap(message.message))),
    )
    .map((message) => changesBy(message, context.me));
  const shown = listEvents('messages.upsert', 'messages', toMessages(messages), more);
  if (unseen.length === 0 && revoked.length === 0) return shown;
  return [
    ...shown,
    ...mapMessagesUpdate(unseen.flatMap((changes) => changes['messages.update'] ?? [])),
    ...mapReactions(unseen.flatMap((changes) => changes['messages.reaction'] ?? [])),
    ...listEvents('messages.delete', 'keys', revoked),
  ];
}

/** Changes to messages: status, stars, edits, revokes, send errors. */
export function mapMessagesUpdate(list: BaileysEventMap['messages.update']): MappedEvent[] {
  const updates = list.flatMap(({ key, update }) => {
    const target = toMessageKey(key);
    const revoke = toMessageKey(update.key);
    const change = {
      ...toMessageFields('messageUpdate', update),
      ...(revoke === undefined ? {} : { key: revoke }),
    };
    return target === undefined || Object.keys(change).length === 0 ? [] : [{ key: target, update: change }];
  });
  return listEvents('messages.update', 'updates', updates);
}

/** Receipts in groups and of statuses. Baileys emits one for each reader, in `update.userReceipt`. */
export function mapReceipts(list: BaileysEventMap['message-receipt.update']): MappedEvent[] {
  return mapMessagesUpdate(list.map(({ key, receipt }) => ({ key, update: { userReceipt: [receipt] } })));
}

/** Reactions: `key` is the message reacted to, `reaction.key` the message that carried the reaction. */
export function mapReactions(list: BaileysEventMap['messages.reaction']): MappedEvent[] {
  const reactions = list.flatMap(({ key, reaction }) => {
    const target = toMessageKey(key);
    return target === undefined ? [] : [{ key: target, reaction: toReaction(reaction) }];
  });
  return listEvents('messages.reaction', 'reactions', reactions);
}

/** "Delete for me" of messages, or of all messages of a chat. */
export function mapMessagesDelete(data: BaileysEventMap['messages.delete']): MappedEvent[] {
  if ('all' in data) return [{ event: 'messages.delete', payload: { jid: data.jid, all: true } }];
  const keys = data.keys.map((key) => toMessageKey(key)).filter(present);
  return listEvents('messages.delete', 'keys', keys);
}
