import type { proto } from '@whiskeysockets/baileys';

/** What a message about another message is, where it is encrypted with a secret of that message. */
export type AddOnKind = keyof typeof LABELS;

/** The name of each kind in the key derivation of WhatsApp's clients. */
export const LABELS = {
  edit: 'Message Edit',
  'event-edit': 'Event Edit',
  'poll-edit': 'Poll Edit',
  'poll-option': 'Poll Add Option',
  scheduled: 'Message Schedule',
  reaction: 'Enc Reaction',
  comment: 'Enc Comment',
  vote: 'Poll Vote',
  'event-response': 'Event Response',
} as const;

/** By `SecretEncryptedMessage.SecretEncType`; Baileys' schema ends with 2. */
const BY_SECRET_TYPE: Readonly<Record<number, AddOnKind>> = {
  1: 'event-edit',
  2: 'edit',
  3: 'scheduled',
  4: 'poll-edit',
  5: 'poll-option',
};

/** An encrypted add-on as received. */
export interface Envelope {
  /** Undefined for a kind that a later version of WhatsApp added. */
  readonly kind: AddOnKind | undefined;
  /** The message that it is about, from its sender's point of view. */
  readonly target: proto.IMessageKey;
  readonly iv: Uint8Array;
  readonly payload: Uint8Array;
}

interface Sealed {
  readonly encIv?: Uint8Array | null;
  readonly encPayload?: Uint8Array | null;
}

function envelope(
  kind: AddOnKind | undefined,
  target: proto.IMessageKey | null | undefined,
  { encIv, encPayload }: Sealed,
): Envelope {
  return {
    kind,
    target: target ?? {},
    iv: encIv ?? new Uint8Array(),
    payload: encPayload ?? new Uint8Array(),
  };
}

/** Returns the add-on that a content is; undefined for any other content. @param content without its wrappers. */
export function envelopeIn(content: proto.IMessage): Envelope | undefined {
  const { secretEncryptedMessage, encReactionMessage, encCommentMessage } = content;
  const { pollUpdateMessage, encEventResponseMessage } = content;
  if (secretEncryptedMessage) {
    const { secretEncType, targetMessageKey } = secretEncryptedMessage;
    return envelope(BY_SECRET_TYPE[secretEncType ?? 0], targetMessageKey, secretEncryptedMessage);
  }
  if (encReactionMessage) {
    return envelope('reaction', encReactionMessage.targetMessageKey, encReactionMessage);
  }
  if (encCommentMessage) return envelope('comment', encCommentMessage.targetMessageKey, encCommentMessage);
  if (pollUpdateMessage) {
    return envelope('vote', pollUpdateMessage.pollCreationMessageKey, pollUpdateMessage.vote ?? {});
  }
  if (encEventResponseMessage) {
    const { eventCreationMessageKey } = encEventResponseMessage;
    return envelope('event-response', eventCreationMessageKey, encEventResponseMessage);
  }
  return undefined;
}
