import {
  type BaileysEventMap,
  normalizeMessageContent,
  type WAMessage,
  type WAMessageKey,
} from '@whiskeysockets/baileys';

/** A poll, or an invitation to an event: what others answer it with is encrypted by a secret that it carries. */
export interface Question {
  /** The key under which the message was published. */
  readonly key: WAMessageKey & { readonly id: string };
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;
/** Ids are made of some 20 characters. */
const MAX_ID_LENGTH = 255;

/** Contents whose answers are encrypted. */
const ASKING = [
  'pollCreationMessage',
  'pollCreationMessageV2',
  'pollCreationMessageV3',
  'pollCreationMessageV4',
  'pollCreationMessageV5',
  'eventMessage',
] as const;

/** The questions among new messages and those of the history. */
export function questionsIn(events: Partial<BaileysEventMap>): Question[] {
  return [
    ...(events['messages.upsert']?.messages ?? []),
    ...(events['messaging-history.set']?.messages ?? []),
  ].flatMap((message) => questionOf(message) ?? []);
}

function questionOf({ key, message, messageSecret }: WAMessage): Question | undefined {
  const content = normalizeMessageContent(message);
  if (!content || !ASKING.some((field) => content[field])) return undefined;
  const inside = content.messageContextInfo?.messageSecret ?? message?.messageContextInfo?.messageSecret;
  const secret = inside ?? messageSecret;
  if (!key.id || key.id.length > MAX_ID_LENGTH || secret?.length !== SECRET_BYTES) return undefined;
  return { key: { ...key, id: key.id }, secret };
}
