import type { BaileysEvent, BaileysEventMap, WAMessage } from '@whiskeysockets/baileys';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { newCredentials } from '../baileys/baileys.js';
import { context } from '../testing/mapping.js';
import { type Found, fieldsOf, reachableFields, type SchemaField } from '../testing/whatsapp-schema.js';
import { EVENT_RULES, mapBaileysEvent } from './index.js';
import { isWithheld } from './secret-fields.js';

/** Bytes that occur nowhere by chance. */
const PLANTED = Buffer.from('c0ffee5ec2e7aa55c0ffee5ec2e7aa55c0ffee5ec2e7aa55c0ffee5ec2e7aa55', 'hex');
const PLANTED_TEXT = 'planted-secret-4711';

/** Bytes of WhatsApp's schema that are kept back. Review what they are before you add to this list. */
const WITHHELD_BYTES = [
  'acAuthTokens',
  'aiConversationContext',
  'aiPsiMetadata',
  'axolotlSenderKeyDistributionMessage',
  'botMessageSecret',
  'callKey',
  'certificateChain',
  'collectionSnapshot',
  'data',
  'encKey',
  'encodedMappingPayload',
  'ephemeralSharedSecret',
  'futureproofData',
  'initialHistBootstrapInlinePayload',
  'internalMetadata',
  'keyData',
  'keyId',
  'masterKey',
  'messageSecret',
  'originalData',
  'paddingBytes',
  'recipientKeyHash',
  'reportingTag',
  'senderKeyHash',
  'signature',
  'webMessageInfoBytes',
];

/** Fields that are not bytes and sound like secrets, but are not secret: clients get them. */
const NO_SECRETS = [
  // How a content is encrypted, and contents that are encrypted with an unpublished key.
  'encCommentMessage',
  'encEventResponseMessage',
  'encReactionMessage',
  'secretEncType',
  'secretEncryptedMessage',
  // Tokens with which the recipient asks for a shop's order or invoice.
  'token',
  'encryptedSignalTokenConsented',
  'reportingTokenVersion',
  // A hash, and numbers of devices.
  'encThumbHash',
  'senderKeyIndexes',
];

const fields = reachableFields('WebMessageInfo');
const names = (found: readonly Found[]) => [...new Set(found.map(({ field }) => field.name))].sort();

function isKeptBack({ name, type }: SchemaField): boolean {
  return isWithheld(name, type === 'bytes' ? new Uint8Array() : undefined);
}

describe('the list of secret fields', () => {
  it('decides on all bytes of WhatsApp’s schema', () => {
    const bytes = fields.filter(({ field }) => field.type === 'bytes');
    expect(names(bytes.filter(({ field }) => isKeptBack(field)))).toEqual(WITHHELD_BYTES);
  });

  it('decides on everything else that sounds like a secret', () => {
    const suspicious = fields.filter(
      ({ field }) =>
        field.type !== 'bytes' && /secret|nonce|token|senderkey|synckey|^enc[A-Z]/i.test(field.name),
    );
    expect(names(suspicious.filter(({ field }) => !isKeptBack(field)))).toEqual(NO_SECRETS.sort());
  });
});

/** A value of a field, with the secret wherever there is room for it. */
function planted(field: SchemaField, depth = 0): unknown {
  const value = () => {
    if (field.type === 'bytes') return PLANTED;
    if (field.type === 'string') return PLANTED_TEXT;
    if (field.message === undefined || depth > 3) return undefined;
    const inner = fieldsOf(field.message).map((each) => [each.name, planted(each, depth + 1)]);
    return Object.fromEntries(inner.filter(([, each]) => each !== undefined));
  };
  const made = value();
  return made !== undefined && field.isList ? [made] : made;
}

/** A message with the secret in one field, at any depth. */
function messageWith({ path, field }: Found): proto.WebMessageInfo {
  let value: Record<string, unknown> = { [field.name]: planted(field) };
  for (const step of [...path].reverse()) value = { [step.name]: step.isList ? [value] : value };
  const key = { remoteJid: '1203@g.us', id: 'M', fromMe: false, participant: '2@lid' };
  const { key: _, ...rest } = value;
  const message =
    typeof rest.message === 'object' ? { conversation: 'hi', ...rest.message } : { conversation: 'hi' };
  return proto.WebMessageInfo.fromObject({ ...rest, key, message });
}

function textOf(event: BaileysEvent, data: BaileysEventMap[BaileysEvent]): string {
  return JSON.stringify(mapBaileysEvent(event, data, context));
}

function expectNothingPlanted(text: string): void {
  expect(text).not.toContain(PLANTED_TEXT);
  expect(text).not.toContain(PLANTED.toString('hex'));
  expect(text).not.toContain(PLANTED.toString('latin1'));
  // In base64 the same bytes look different after different bytes. So everything that looks like base64 is decoded.
  for (const [candidate] of text.matchAll(/[A-Za-z0-9+/_-]{16,}={0,2}/g)) {
    expect(Buffer.from(candidate, 'base64').includes(PLANTED.subarray(0, 12))).toBe(false);
  }
}

describe('a secret in a message', () => {
  const secrets = fields.filter(({ field }) => isKeptBack(field));

  it('is planted for this test where it should be', () => {
    const [found] = secrets.filter(({ field }) => field.name === 'messageSecret');
    if (found === undefined) throw new Error('no messageSecret');
    expect(Buffer.from(messageWith(found).messageSecret ?? [])).toEqual(PLANTED);
    expect(secrets.length).toBeGreaterThan(40);
  });

  it.each(
    secrets.map((found): [string, Found] => [
      [...found.path, found.field].map(({ name }) => name).join('.'),
      found,
    ]),
  )('%s is in no event', (_name, found) => {
    const message = messageWith(found) as WAMessage;
    const { key } = message;
    for (const each of [message, { ...message }]) {
      expectNothingPlanted(textOf('messages.upsert', { messages: [each], type: 'notify' }));
      expectNothingPlanted(textOf('messages.update', [{ key, update: each }]));
      expectNothingPlanted(
        textOf('messaging-history.set', {
          chats: [{ id: '1203@g.us', messages: [{ message: each }] }],
          contacts: [],
          messages: [each],
        }),
      );
      expectNothingPlanted(
        textOf('chats.update', [{ id: '1203@g.us', unreadCount: 1, messages: [{ message: each }] }]),
      );
    }
  });
});

/** A copy in which the secret replaces every text and all bytes, except those that identify the object. */
function poisoned(value: unknown): unknown {
  if (value instanceof Uint8Array) return PLANTED;
  if (typeof value === 'string') return PLANTED_TEXT;
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, poisoned(inner)]));
}

describe('the secrets of an account', () => {
  it('are in no event when all of its credentials change', () => {
    const creds = {
      ...newCredentials(),
      account: {
        accountSignature: PLANTED,
        accountSignatureKey: PLANTED,
        details: PLANTED,
        deviceSignature: PLANTED,
      },
      signalIdentities: [{ identifier: { name: 'me', deviceId: 0 }, identifierKey: PLANTED }],
      myAppStateKeyId: PLANTED_TEXT,
      pairingCode: PLANTED_TEXT,
      routingInfo: PLANTED,
      lastPropHash: PLANTED_TEXT,
    };
    const { accountSettings: _, ...secret } = creds;
    const update = {
      ...(poisoned(secret) as typeof secret),
      accountSettings: creds.accountSettings,
      me: { id: '15:1@s.whatsapp.net', name: 'Alice', imgUrl: PLANTED_TEXT },
      platform: 'android',
    };
    expect(JSON.stringify(update)).toContain(PLANTED_TEXT);
    const text = textOf('creds.update', update);
    expectNothingPlanted(text);
    expect(text).toContain('Alice');
  });

  it('are in no event of a chat', () => {
    const found = reachableFields('Conversation').filter(({ path }) => path.length === 0);
    const chat = Object.fromEntries(
      found.filter(({ field }) => field.type === 'bytes').map(({ field }) => [field.name, PLANTED]),
    );
    expect(Object.keys(chat).sort()).toEqual(['contactPrimaryIdentityKey', 'tcToken']);
    for (const event of ['chats.upsert', 'chats.update'] as const) {
      const text = textOf(event, [{ id: '1@lid', name: 'Carl', ...chat }]);
      expectNothingPlanted(text);
      expect(text).toContain('Carl');
    }
  });

  it('could only come in fields that a payload does not have', () => {
    const unknown = { futureKey: PLANTED, futureText: PLANTED_TEXT };
    const key = { remoteJid: '1@lid', id: 'M', ...unknown };
    const tried: { readonly [E in BaileysEvent]?: BaileysEventMap[E] } = {
      'chats.update': [{ id: '1@lid', archived: true, ...unknown }],
      'contacts.upsert': [{ id: '1@lid', ...unknown }],
      'messages.delete': { keys: [key] },
      'messages.reaction': [{ key, reaction: { key, text: 'x', ...unknown } }],
      'message-receipt.update': [{ key, receipt: { userJid: '2@lid', ...unknown } }],
      'groups.update': [{ id: 'g@g.us', participants: [{ id: '1@lid', ...unknown }], ...unknown }],
      'presence.update': {
        id: '1@lid',
        presences: { '1@lid': { lastKnownPresence: 'available', ...unknown } },
      },
    };
    for (const [event, data] of Object.entries(tried)) {
      expect(EVENT_RULES).toHaveProperty([event]);
      const text = textOf(event as BaileysEvent, data);
      expect(text).toContain('"payload"');
      expectNothingPlanted(text);
    }
  });
});
