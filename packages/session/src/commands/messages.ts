import { type CommandFields, type CommandReply, isChannel, type messageCommands } from '@wafleet/contract';
import { isJidGroup, type proto, type WASocket } from '@whiskeysockets/baileys';
import { buildContent } from '../content/build-content.js';
import { withContext } from '../content/context-info.js';
import { quoteOf } from '../content/quote.js';
import { textContent } from '../content/text.js';
import { fromBaileys } from './baileys-errors.js';
import { sendToChannel } from './channel-requests/send-to-channel.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { unanswered } from './recipients.js';

type SendFields = CommandFields<'send-message'>;

export const messageHandlers: HandlersOf<typeof messageCommands> = {
  'send-message': (session, fields) => send(session, fields),
  'send-text': (session, fields) => send(session, fields),
};

/** Sends what a client has asked for. Nothing is sent before all that it needs is found. */
async function send(session: CommandContext, fields: SendFields): Promise<CommandReply<'send-message'>> {
  const { socket, recipients, messages } = session;
  const { to, typing, messageId } = fields;
  messages.requireReading();
  if (isChannel(to)) return sendToChannel(session, fields);
  const jid = await recipients.find(socket, to);
  const content = await contentOf(session, socket, jid, fields);
  await messages.send(socket, { jid, content, messageId, typing });
  return { messageId };
}

async function contentOf(
  session: CommandContext,
  socket: WASocket,
  jid: string,
  { text = '', content, quote, disappearing }: SendFields,
): Promise<proto.IMessage> {
  const { known, targets } = session;
  const context = { socket, chat: jid, known, targets };
  const built =
    content === undefined ? textContent({ text }) : await buildContent(content.type, content, context);
  const expiration = disappearing ?? (await timerOf(session, socket, jid));
  const contextInfo = {
    ...(quote === undefined
      ? {}
      : await quoteOf(socket, await known.requireContent(quote.messageId), context)),
    ...(expiration > 0 ? { expiration } : {}),
  };
  // What has no context, as a reaction, does not disappear by itself.
  return Object.keys(contextInfo).length === 0 ? built : (withContext(built, contextInfo) ?? built);
}

/** After how many seconds the messages of a group disappear; 0 for never. The timers of other chats are not known. */
async function timerOf({ groups }: CommandContext, socket: WASocket, jid: string): Promise<number> {
  if (!isJidGroup(jid)) return 0;
  try {
    // Baileys needs the group to send to it, and takes it from the same cache.
    const group = await groups.find(socket, jid);
    return group?.ephemeralDuration ?? 0;
  } catch (error) {
    throw fromBaileys(error, { otherwise: unanswered });
  }
}
