import { proto } from '@whiskeysockets/baileys';
import type { Group } from '../groups/group.js';
import type { ReceivedReceipt } from '../messages/receipts.js';
import type { ReceivedMessage } from '../messages/received-message.js';
import type { PasskeyRequestOptions } from '../passkey/challenges.js';
import type { VirtualCredential } from '../passkey/passkey.js';
import type { PasskeyStage } from '../passkey/passkey-ceremony.js';
import type { Account, Device } from '../world/account.js';
import { type Chat, isPerson, type MessageReference } from '../world/chat.js';

/** A linked device, as the control API describes it. */
export interface DeviceAnswer {
  readonly jid: string;
  readonly lid: string;
  readonly online: boolean;
  /** The version of WhatsApp Web that its client reported last. */
  readonly clientVersion?: string;
  /** Stanzas that the device has not acknowledged. */
  readonly pending: number;
  /** Whether the client has said that its person is there. */
  readonly available: boolean;
  /** The name in the phone's list of linked devices. */
  readonly os: string;
  readonly platform: string;
  readonly wantsFullHistory: boolean;
}

export interface PhoneAnswer {
  readonly number: string;
  readonly name: string;
  readonly username?: string;
  /** The LID if the number is hidden. */
  readonly jid: string;
  readonly lid: string;
  readonly devices: readonly DeviceAnswer[];
}

/** The passkey of an account, and the last ceremony of its phone. */
export interface PasskeyAnswer {
  readonly demanded: boolean;
  /** Whether WhatsApp is open on the phone's screen. */
  readonly foreground: boolean;
  /** For a virtual authenticator, with the private key. Absent if the account has no passkey. */
  readonly credential?: VirtualCredential;
  readonly ceremony?: {
    readonly stage: PasskeyStage;
    /** Why the phone has ended it. */
    readonly failure?: string;
    /** Of the challenge that can be signed now. */
    readonly options?: PasskeyRequestOptions;
    /** The confirmation code, once the phone knows it. */
    readonly code?: string;
    /** The same while the phone shows it. */
    readonly shownCode?: string;
    /** What the client was sent, and how often it has acknowledged each. */
    readonly notifications: readonly { readonly type: string; readonly acks: number }[];
  };
}

/** Names a message in later requests. */
export interface MessageAnswer {
  readonly id: string;
  /** The author's number. */
  readonly sender: string;
  /** A person's number, a group's JID or `status@broadcast`. */
  readonly chat: string;
}

export interface ReceivedAnswer extends MessageAnswer {
  /** JID of the author's linked device; absent when the author used the phone. */
  readonly device?: string;
  readonly timestamp: number;
  readonly text?: string;
  /** The whole message in protobuf's JSON form. */
  readonly message: Record<string, unknown>;
}

/** A receipt that has reached a phone. */
export interface ReceiptAnswer {
  /** The reader's number. */
  readonly from: string;
  readonly ids: readonly string[];
  readonly type: 'delivered' | 'read' | 'played' | 'read-self';
}

export interface GroupAnswer {
  readonly jid: string;
  readonly subject: string;
  readonly inviteCode: string;
  readonly members: readonly { readonly number: string; readonly role: string }[];
}

export interface CallAnswer {
  readonly id: string;
  readonly state: string;
}

export interface LoadAnswer {
  readonly running: boolean;
  readonly perSecond: number;
  /** Messages that are encrypted and queued. */
  readonly sent: number;
  readonly failed: number;
  /** Messages that were left out because the simulator could not keep up. */
  readonly skipped: number;
  readonly seconds: number;
}

export interface StateAnswer {
  readonly url: string;
  /** The public key, in hex, that clients must trust. */
  readonly rootKey: string;
  readonly phones: number;
  readonly connections: number;
}

export function deviceAnswer(device: Device): DeviceAnswer {
  const { jid, lid, isOnline, pendingCount, available, clientVersion } = device;
  const { os, platform, wantsFullHistory } = device;
  const known = clientVersion === undefined ? {} : { clientVersion };
  const shown = { available, os, platform, wantsFullHistory };
  return { jid, lid, online: isOnline, pending: pendingCount, ...shown, ...known };
}

export function phoneAnswer({ number, name, username, jid, lid, devices }: Account): PhoneAnswer {
  const known = username === undefined ? {} : { username };
  return { number, name, ...known, jid, lid, devices: [...devices.values()].map(deviceAnswer) };
}

export function messageAnswer({ id, sender, chat }: MessageReference): MessageAnswer {
  return { id, sender: sender.number, chat: chatName(chat) };
}

export function receivedAnswer(received: ReceivedMessage): ReceivedAnswer {
  const { device, timestamp, text, message } = received;
  return {
    ...messageAnswer(received),
    timestamp,
    message: proto.Message.fromObject(message).toJSON(),
    ...(device ? { device: device.jid } : {}),
    ...(text === undefined ? {} : { text }),
  };
}

export function receiptAnswer({ from, ids, type }: ReceivedReceipt): ReceiptAnswer {
  return { from: from.number, ids, type };
}

export function groupAnswer(group: Group): GroupAnswer {
  const { jid, subject, inviteCode } = group;
  const members = group
    .members()
    .map((phone) => ({ number: phone.number, role: group.role(phone) ?? 'member' }));
  return { jid, subject, inviteCode, members };
}

function chatName(chat: Chat): string {
  return isPerson(chat) ? chat.number : chat.jid;
}
