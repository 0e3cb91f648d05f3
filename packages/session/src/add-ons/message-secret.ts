import { type EventPosition, formatEventId, parseEventId } from '@wafleet/contract';
import type { WAMessage, WAMessageKey } from '@whiskeysockets/baileys';
import { unwrap } from '../mapping/unwrap.js';
import { envelopeIn } from './envelopes.js';

/** A message's secret, and the key under which the message was published. */
export interface MessageSecret {
  readonly key: WAMessageKey & { readonly id: string };
  readonly secret: Uint8Array;
}

/** What is kept of a message. */
export interface KeptMessage {
  /** The key under which the message was published. */
  readonly key: WAMessageKey & { readonly id: string };
  /** Undefined if the message carried none. */
  readonly secret: Uint8Array | undefined;
  /** A position in the event log that is before the message's event. Undefined if none was known. */
  readonly after?: EventPosition | undefined;
  /** When the message was sent, seconds since 1970. */
  readonly sentAt?: number | undefined;
}

const SECRET_BYTES = 32;
/** Stands in a record for a secret. A release that does not know it decrypts nothing with it. */
const NO_SECRET = Buffer.alloc(SECRET_BYTES);
/** Ids are made of 16 to 40 characters, JIDs of 20 to 40. What is longer is not kept. */
const MAX_ID_LENGTH = 64;
const MAX_JID_LENGTH = 96;

const KEY_FIELDS = ['remoteJid', 'remoteJidAlt', 'participant', 'participantAlt', 'addressingMode'] as const;

/** Servers as they are written in a record. */
const SERVERS = [
  ['@s.whatsapp.net', '@s'],
  ['@g.us', '@g'],
  ['@lid', '@l'],
] as const;

/** The secret that a message carries, innermost first; undefined if it has none. */
export function secretOf({ message, messageSecret }: WAMessage): Uint8Array | undefined {
  const { levels } = unwrap(message);
  for (let depth = levels.length - 1; depth >= 0; depth -= 1) {
    const secret = levels[depth]?.messageContextInfo?.messageSecret;
    if (secret?.length === SECRET_BYTES) return secret;
  }
  return messageSecret?.length === SECRET_BYTES ? messageSecret : undefined;
}

/** What is kept of a message to open add-ons to it; undefined if the message carries no secret. */
export function messageSecretOf(
  message: WAMessage,
): (MessageSecret & { readonly keptAs: string }) | undefined {
  const { key } = message;
  const secret = key.id && key.id.length <= MAX_ID_LENGTH ? secretOf(message) : undefined;
  if (!key.id || secret === undefined) return undefined;
  const envelope = envelopeIn(unwrap(message.message).content);
  // An edit of an edit applies to the message that was edited first, whichever of the two it names.
  const isEdit =
    envelope?.kind === 'edit' || envelope?.kind === 'event-edit' || envelope?.kind === 'poll-edit';
  const id = (isEdit && envelope.target.id) || key.id;
  return { key: { ...key, id: id.length <= MAX_ID_LENGTH ? id : key.id }, secret, keptAs: key.id };
}

/** Contents that say something about another message or to the account's devices, so that no call can be about them. */
const ABOUT_OTHERS: ReadonlySet<string> = new Set([
  'encReactionMessage',
  'keepInChatMessage',
  'messageContextInfo',
  'pinInChatMessage',
  'pollUpdateMessage',
  'protocolMessage',
  'reactionMessage',
  'senderKeyDistributionMessage',
]);

/** What is kept of a message without a secret, for calls that name it by its id; undefined if no call can be about it. */
export function keptWithoutSecret({
  key,
  message,
}: WAMessage): (KeptMessage & { readonly keptAs: string }) | undefined {
  if (!key.id || key.id.length > MAX_ID_LENGTH) return undefined;
  const { content } = unwrap(message);
  if (Object.keys(content).every((field) => ABOUT_OTHERS.has(field))) return undefined;
  return { key: { ...key, id: key.id }, secret: undefined, keptAs: key.id };
}

/** A record of at most some 400 bytes, mostly about 100. */
export function encodeKept({ key, secret, after, sentAt }: KeptMessage): Buffer {
  const parts = KEY_FIELDS.map((field) => shortened(key[field]));
  const place =
    after === undefined && sentAt === undefined ? [] : [after ? formatEventId(after) : '', sentAt];
  const text = JSON.stringify([key.id, key.fromMe === true ? 1 : 0, ...parts, ...place]);
  return Buffer.concat([secret ?? NO_SECRET, Buffer.from(text)]);
}

/** Returns undefined if the record is malformed. */
export function decodeKept(record: Buffer): KeptMessage | undefined {
  const fields = parsed(record.subarray(SECRET_BYTES).toString());
  if (!Array.isArray(fields)) return undefined;
  const [id, fromMe, ...parts]: unknown[] = fields;
  if (typeof id !== 'string') return undefined;
  const named = KEY_FIELDS.flatMap((field, index) => {
    const part = parts[index];
    return typeof part === 'string' && part !== '' ? [[field, lengthened(part)]] : [];
  });
  const [after, sentAt] = parts.slice(KEY_FIELDS.length);
  const secret = record.subarray(0, SECRET_BYTES);
  return {
    key: { id, fromMe: fromMe === 1, ...Object.fromEntries(named) },
    secret: secret.equals(NO_SECRET) ? undefined : secret,
    after: typeof after === 'string' ? parseEventId(after) : undefined,
    sentAt: typeof sentAt === 'number' ? sentAt : undefined,
  };
}

/** Returns undefined if the text is not JSON, for instance because another release wrote it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shortened(jid: string | null | undefined): string {
  if (!jid || jid.length > MAX_JID_LENGTH) return '';
  const server = SERVERS.find(([whole]) => jid.endsWith(whole));
  return server === undefined ? jid : jid.slice(0, -server[0].length) + server[1];
}

function lengthened(jid: string): string {
  const server = SERVERS.find(([, short]) => jid.endsWith(short));
  return server === undefined ? jid : jid.slice(0, -server[1].length) + server[0];
}
