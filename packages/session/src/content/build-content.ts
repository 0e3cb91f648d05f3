import type { ContentOf, ContentType, MessageContent } from '@wafleet/contract';
import type { proto } from '@whiskeysockets/baileys';
import { contactsContent } from './contacts.js';
import type { ContentContext } from './content-context.js';
import { eventContent } from './event.js';
import { forwardContent } from './forward.js';
import { groupInvitationContent } from './group-invitation.js';
import { locationContent } from './location.js';
import { pollContent } from './poll.js';
import { reactionContent } from './reaction.js';
import { textContent } from './text.js';

/** Makes WhatsApp's form of a content. @throws {WafleetError} the errors that the command declares. */
type ContentBuilder<T extends ContentType> = (
  content: ContentOf<T>,
  context: ContentContext,
) => proto.IMessage | Promise<proto.IMessage>;

const BUILDERS: { readonly [T in ContentType]: ContentBuilder<T> } = {
  text: textContent,
  location: locationContent,
  contacts: contactsContent,
  poll: pollContent,
  event: eventContent,
  reaction: reactionContent,
  forward: forwardContent,
  'group-invitation': groupInvitationContent,
};

/** WhatsApp's form of any content. @throws {WafleetError} as the content's builder does. */
export async function buildContent<T extends ContentType>(
  type: T,
  content: Extract<MessageContent, { type: T }>,
  context: ContentContext,
): Promise<proto.IMessage> {
  return BUILDERS[type](content, context);
}
