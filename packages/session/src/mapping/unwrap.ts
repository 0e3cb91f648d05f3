import type { proto } from '@whiskeysockets/baileys';

/**
 * The fields of WhatsApp's `Message` that hold another message in place of a content of their own. A test compares the
 * list with the schema.
 */
export const WRAPPERS = [
  'deviceSentMessage',
  'ephemeralMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
  'documentWithCaptionMessage',
  'editedMessage',
  'associatedChildMessage',
  'groupStatusMessage',
  'groupStatusMessageV2',
  'groupMentionedMessage',
  'groupStatusMentionMessage',
  'statusMentionMessage',
  'statusAddYours',
  'botInvokeMessage',
  'botTaskMessage',
  'botForwardedMessage',
  'questionMessage',
  'questionReplyMessage',
  'limitSharingMessage',
  'lottieStickerMessage',
  'eventCoverImage',
  'pollCreationMessageV4',
  'pollCreationOptionImageMessage',
] as const satisfies readonly (keyof proto.IMessage)[];

export type Wrapper = (typeof WRAPPERS)[number];

/** The place of each wrapper in the list. If a message has two wrappers, the first one is opened. */
const PLACES: ReadonlyMap<string, number> = new Map(WRAPPERS.map((wrapper, place) => [wrapper, place]));

/** The place of the wrapper that a message is, if any. Most messages have one or two fields. */
function placeOfWrapper(message: proto.IMessage): number | undefined {
  let first: number | undefined;
  for (const field of Object.keys(message)) {
    const place = PLACES.get(field);
    if (place === undefined || (first !== undefined && first < place)) continue;
    if (messageIn(message, WRAPPERS[place])) first = place;
  }
  return first;
}

function messageIn(message: proto.IMessage, wrapper: Wrapper | undefined): proto.IMessage | null | undefined {
  return wrapper && message[wrapper]?.message;
}

/** The wrappers that Baileys opens itself (Utils/messages.js, `normalizeMessageContent`), and how many at once. */
const OPENED_BY_BAILEYS: ReadonlySet<Wrapper> = new Set([
  'ephemeralMessage',
  'viewOnceMessage',
  'documentWithCaptionMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
  'editedMessage',
  'associatedChildMessage',
  'groupStatusMessage',
  'groupStatusMessageV2',
]);
const DEPTH_OF_BAILEYS = 5;

/** WhatsApp's clients nest two or three wrappers. What is nested deeper than this stays wrapped. */
export const MAX_WRAPPERS = 32;

export interface Unwrapped {
  /** What is inside all wrappers. */
  readonly content: proto.IMessage;
  /** The wrappers that were opened, outermost first. */
  readonly wrappers: readonly Wrapper[];
  /** The message and each one in it, outermost first; the last one is `content`. */
  readonly levels: readonly proto.IMessage[];
}

/** Opens all wrappers around a message's content. Never throws; a wrapper that holds nothing stays. */
export function unwrap(message: proto.IMessage | null | undefined): Unwrapped {
  let content = message ?? {};
  const wrappers: Wrapper[] = [];
  const levels = [content];
  while (wrappers.length < MAX_WRAPPERS) {
    const place = placeOfWrapper(content);
    const wrapper = place === undefined ? undefined : WRAPPERS[place];
    const inner = messageIn(content, wrapper);
    if (wrapper === undefined || !inner) break;
    content = inner;
    wrappers.push(wrapper);
    levels.push(content);
  }
  return { content, wrappers, levels };
}

/** A message's content without its wrappers. Empty for a message without content. */
export function contentOf(message: proto.IMessage | null | undefined): proto.IMessage {
  return unwrap(message).content;
}

/** Whether Baileys sees the content, and so acts on an edit, a deletion or a reaction in it. */
export function isSeenByBaileys({ wrappers }: Unwrapped): boolean {
  return wrappers.length <= DEPTH_OF_BAILEYS && wrappers.every((wrapper) => OPENED_BY_BAILEYS.has(wrapper));
}
