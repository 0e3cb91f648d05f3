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

/** What Baileys does with a message that it acknowledges and drops. */
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
 * Whether Baileys will acknowledge a message and say nothing of it, as its stanza shows (Socket/messages-recv.js,
 * `handleMessage`): what bots have encrypted, and what came without a content for which the phone is not asked.
 * @param now seconds since 1970.
 */
export function dropOf(stanza: BinaryNode, now: number): Drop | undefined {
  if (getBinaryNodeChild(stanza, 'enc')?.attrs.type === 'msmsg') {
    return { reason: 'bot', code: NACK_REASONS.MissingMessageSecret };
  }
  if (!Array.isArray(stanza.content) || stanza.attrs.category === 'peer' || hasContent(stanza))
    return undefined;
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

function hasContent(stanza: BinaryNode): boolean {
  return ['enc', 'plaintext'].some((tag) =>
    getBinaryNodeChildren(stanza, tag).some(({ content }) => content instanceof Uint8Array),
  );
}

function ageOf({ attrs }: BinaryNode, now: number): number {
  return now - Number(attrs.t ?? now);
}
