import type { WAMessage, WAMessageKey } from '@whiskeysockets/baileys';
import { unwrap } from '../mapping/unwrap.js';
import { envelopeIn } from './envelopes.js';

/** A message's secret, and the key under which the message was published. */
export interface MessageSecret {
  readonly key: WAMessageKey & { readonly id: string };
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;
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

/** A record of at most some 400 bytes, mostly about 80. */
export function encodeSecret({ key, secret }: MessageSecret): Buffer {
  const parts = KEY_FIELDS.map((field) => shortened(key[field]));
  const text = JSON.stringify([key.id, key.fromMe === true ? 1 : 0, ...parts]);
  return Buffer.concat([secret, Buffer.from(text)]);
}

/** Returns undefined if the record is malformed. */
export function decodeSecret(record: Buffer): MessageSecret | undefined {
  const fields = parsed(record.subarray(SECRET_BYTES).toString());
  if (!Array.isArray(fields)) return undefined;
  const [id, fromMe, ...parts]: unknown[] = fields;
  if (typeof id !== 'string') return undefined;
  const named = KEY_FIELDS.flatMap((field, index) => {
    const part = parts[index];
    return typeof part === 'string' && part !== '' ? [[field, lengthened(part)]] : [];
  });
  return {
    key: { id, fromMe: fromMe === 1, ...Object.fromEntries(named) },
    secret: record.subarray(0, SECRET_BYTES),
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
