import { proto, type WAMessage, type WAMessageKey, type WAMessageUpdate } from '@whiskeysockets/baileys';
import { type Changes, changesBy, type Me } from '../mapping/changes.js';
import type { OpenedMessage } from '../mapping/unavailable.js';
import { contentOf } from '../mapping/unwrap.js';
import type { AddOnKind } from './envelopes.js';
import { bytesOfField } from './wire-format.js';

const { MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

/** A message that carried an add-on, decrypted, and the changes that the add-on makes to the other message. */
export interface OpenedAddOn {
  readonly message: OpenedMessage;
  readonly changes: Changes;
}

interface Plain {
  readonly kind: AddOnKind;
  readonly plain: Buffer;
  /** The message that carried it. */
  readonly message: WAMessage;
  /** The published key of the message that the add-on is about. */
  readonly target: WAMessageKey;
  readonly me: Me;
}

/** What a decrypted add-on says. @throws {Error} if it is of another kind. */
export function readAddOn({ kind, plain, message, target, me }: Plain): OpenedAddOn {
  const withContent = (content: proto.IMessage): OpenedAddOn => {
    const read: OpenedMessage = { ...message, message: content, isOpened: true };
    return { message: read, changes: changesBy(read, me, target) };
  };
  const answered = (update: WAMessageUpdate['update']): OpenedAddOn => ({
    message,
    changes: { 'messages.update': [{ key: target, update }] },
  });
  switch (kind) {
    case 'edit':
    case 'event-edit':
    case 'poll-edit':
      return withContent(editOf(proto.Message.decode(plain), target));
    case 'reaction': {
      const reactionMessage = { ...proto.Message.ReactionMessage.decode(plain), key: target };
      return withContent({ reactionMessage });
    }
    case 'comment':
      return withContent({ commentMessage: { message: commentOf(plain, target), targetMessageKey: target } });
    case 'scheduled':
      return withContent(proto.Message.decode(plain));
    case 'poll-option': {
      const option = newOptionOf(plain);
      return { ...withContent(option), changes: answered({ message: option }).changes };
    }
    case 'vote': {
      const { senderTimestampMs = null } = contentOf(message.message).pollUpdateMessage ?? {};
      const vote = proto.Message.PollVoteMessage.decode(plain);
      return answered({ pollUpdates: [{ pollUpdateMessageKey: message.key, vote, senderTimestampMs }] });
    }
    case 'event-response': {
      const response = proto.Message.EventResponseMessage.decode(plain);
      const { timestampMs = null } = response;
      return answered({
        eventResponses: [
          { eventResponseMessageKey: message.key, timestampMs, eventResponseMessage: response },
        ],
      });
    }
  }
}

/** The edit as clients sent it before it was encrypted. Some clients encrypt the new content alone. */
function editOf(plain: proto.IMessage, key: WAMessageKey): proto.IMessage {
  const { protocolMessage } = contentOf(plain);
  if (protocolMessage?.editedMessage) {
    return { protocolMessage: { ...protocolMessage, type: MESSAGE_EDIT, key } };
  }
  if (Object.keys(plain).length === 0) throw new Error('an edit without a content');
  return { protocolMessage: { type: MESSAGE_EDIT, key, editedMessage: plain } };
}

/** Clients encrypt a comment as a message of its own, or together with what it is about. */
function commentOf(plain: Buffer, target: WAMessageKey): proto.IMessage {
  const comment = attempt(() => proto.Message.CommentMessage.decode(plain));
  if (comment?.message && comment.targetMessageKey?.id === target.id) return comment.message;
  return proto.Message.decode(plain);
}

function newOptionOf(plain: Buffer): proto.IMessage {
  const message = bytesOfField(plain, POLL_ADD_OPTION_FIELD);
  const option = message && bytesOfField(message, 2);
  if (option === undefined) throw new Error('no option to add');
  const { optionName = null } = proto.Message.PollCreationMessage.Option.decode(option);
  const content: proto.IMessage & { pollAddOptionMessage: object } = {
    pollAddOptionMessage: { addOption: { optionName } },
  };
  return content;
}

/** `Message.pollAddOptionMessage`, which Baileys' schema lacks: `{ pollCreationMessageKey = 1, addOption = 2 }`. */
const POLL_ADD_OPTION_FIELD = 121;

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
