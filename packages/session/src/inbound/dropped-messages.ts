import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isJidStatusBroadcast,
  NACK_REASONS,
  PLACEHOLDER_MAX_AGE_SECONDS,
  STATUS_EXPIRY_SECONDS,
} from '@whiskeysockets/baileys';
import type { Unavailable } from '../mapping/unavailable.js';

type Reason = Unavailable['reason'];

/** How a message is acknowledged and dropped. */
export interface Drop {
  readonly reason: Reason;
  /** The error code that the acknowledgement carries. */
  readonly code?: number;
}

/** By the type of `<unavailable>`: contents that the server gives to phones only. */
const FOR_PHONES: Readonly<Record<string, Reason>> = {
  view_once_unavailable_fanout: 'view-once',
  hosted_unavailable_fanout: 'hosted',
  bot_unavailable_fanout: 'bot',
};

/**
 * The maximum size of a content that is decrypted, in bytes. WhatsApp's apps send texts of up to 64 KiB, and files by a
 * reference with a small preview. Each megabyte keeps the worker from its other sessions for about 40 ms.
 */
export const MAX_CONTENT_BYTES = 1024 * 1024;

/**
 * Whether a message is acknowledged without being decrypted, as its stanza shows. Baileys does so silently
 * (Socket/messages-recv.js, `handleMessage`) for messages that bots have encrypted, and for messages without a content
 * for which the phone is not asked. We do so for a content of more than `MAX_CONTENT_BYTES`.
 * @param now seconds since 1970.
 */
export function dropOf(stanza: BinaryNode, now: number): Drop | undefined {
  if (getBinaryNodeChild(stanza, 'enc')?.attrs.type === 'msmsg') {
    return { reason: 'bot', code: NACK_REASONS.MissingMessageSecret };
  }
  if (!Array.isArray(stanza.content) || stanza.attrs.category === 'peer') return undefined;
  const contents = contentsOf(stanza);
  if (contents.some(({ length }) => length > MAX_CONTENT_BYTES)) return { reason: 'too-large' };
  if (contents.length > 0) return undefined;
  const types = getBinaryNodeChildren(stanza, 'unavailable').map(({ attrs }) => attrs.type ?? '');
  if (types.includes('view_once')) return undefined;
  const reason = FOR_PHONES[types[0] ?? ''];
  if (reason !== undefined) return { reason };
  return ageOf(stanza, now) > PLACEHOLDER_MAX_AGE_SECONDS ? { reason: 'too-old' } : undefined;
}

/** Why Baileys has dropped a message that its stanza alone did not show to be dropped. */
export function reasonAfterwards(stanza: BinaryNode, isReadable: boolean, now: number): Reason {
  if (!isReadable) return 'unsupported';
  const isStatus = isJidStatusBroadcast(stanza.attrs.from ?? '') === true;
  return isStatus && ageOf(stanza, now) > STATUS_EXPIRY_SECONDS ? 'expired' : 'keys-used';
}

function contentsOf(stanza: BinaryNode): Uint8Array[] {
  return ['enc', 'plaintext']
    .flatMap((tag) => getBinaryNodeChildren(stanza, tag))
    .map(({ content }) => content)
    .filter((content) => content instanceof Uint8Array);
}

function ageOf({ attrs }: BinaryNode, now: number): number {
  return now - Number(attrs.t ?? now);
}
