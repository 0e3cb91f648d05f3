import {
  type BaileysEventMap,
  normalizeMessageContent,
  proto,
  type WAMessage,
} from '@whiskeysockets/baileys';
import type { MappedEvent, MappingContext } from './mapped-event.js';
import { toMessageKey } from './message-key.js';
import { isJsonObject, type JsonObject, normaliseObject } from './normalise.js';
import { toRevokedKey } from './revoked-key.js';

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
  const type = normalizeMessageContent(message.message)?.protocolMessage?.type;
  return typeof type === 'number' && BETWEEN_OWN_DEVICES.has(type);
}

/** Whether a content that was not empty holds nothing for a person once its secret fields are gone. */
function heldSecretsOnly(message: WAMessage, content: JsonObject): boolean {
  const fields = Object.keys(content).filter((field) => field !== 'messageContextInfo');
  return fields.length === 0 && Object.keys(message.message ?? {}).length > 0;
}

/** A message as the contract has it; undefined for one that carries key material or synchronisation only. */
function toMessage(message: WAMessage): JsonObject | undefined {
  const key = toMessageKey(message.key);
  if (key === undefined || isBetweenOwnDevices(message)) return undefined;
  const { category, messageStubParameters, ...rest } = normaliseObject(message);
  if (isJsonObject(rest.message) && heldSecretsOnly(message, rest.message)) return undefined;
  return {
    ...rest,
    key,
    ...(Array.isArray(messageStubParameters)
      ? { messageStubParameters: messageStubParameters.map((parameter) => String(parameter)) }
      : {}),
  };
}

function present(item: JsonObject | undefined): item is JsonObject {
  return item !== undefined;
}

/**
 * New messages. Both of Baileys' kinds are published: messages that waited for an offline device, the account's
 * own and the notices of groups come as `append`. A "delete for everyone" in the batch also gives a
 * `messages.delete` of its target, which Baileys itself emits for "delete for me" only.
 */
export function mapMessagesUpsert(
  { messages, type, requestId }: BaileysEventMap['messages.upsert'],
  context: MappingContext,
): MappedEvent[] {
  const published = messages.map(toMessage).filter(present);
  const revoked = messages.map((message) => toRevokedKey(message, context)).filter(present);
  const events: MappedEvent[] = [];
  if (published.length > 0) {
    const payload = { messages: published, type, ...(requestId ? { requestId } : {}) };
    events.push({ event: 'messages.upsert', payload });
  }
  if (revoked.length > 0) events.push({ event: 'messages.delete', payload: { keys: revoked } });
  return events;
}

/** Changes to messages: status, stars, edits, revokes, send errors. */
export function mapMessagesUpdate(list: BaileysEventMap['messages.update']): MappedEvent[] {
  const updates = list.flatMap(({ key, update }) => {
    const target = toMessageKey(key);
    const change = normaliseObject(update);
    return target === undefined || Object.keys(change).length === 0 ? [] : [{ key: target, update: change }];
  });
  return updates.length === 0 ? [] : [{ event: 'messages.update', payload: { updates } }];
}

/** Receipts in groups and of statuses, which Baileys tells per reader: `update.userReceipt` holds the one. */
export function mapReceipts(list: BaileysEventMap['message-receipt.update']): MappedEvent[] {
  return mapMessagesUpdate(list.map(({ key, receipt }) => ({ key, update: { userReceipt: [receipt] } })));
}

/** Reactions: `key` is the message reacted to, `reaction.key` the message that carried the reaction. */
export function mapReactions(list: BaileysEventMap['messages.reaction']): MappedEvent[] {
  const reactions = list.flatMap(({ key, reaction }) => {
    const target = toMessageKey(key);
    if (target === undefined) return [];
    const { key: _, ...rest } = normaliseObject(reaction);
    const own = toMessageKey(reaction.key);
    return [{ key: target, reaction: { ...rest, ...(own === undefined ? {} : { key: own }) } }];
  });
  return reactions.length === 0 ? [] : [{ event: 'messages.reaction', payload: { reactions } }];
}

/** "Delete for me" of messages, or of all messages of a chat. */
export function mapMessagesDelete(data: BaileysEventMap['messages.delete']): MappedEvent[] {
  if ('all' in data) return [{ event: 'messages.delete', payload: { jid: data.jid, all: true } }];
  const keys = data.keys.map((key) => toMessageKey(key)).filter(present);
  return keys.length === 0 ? [] : [{ event: 'messages.delete', payload: { keys } }];
}
