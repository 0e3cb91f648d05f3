import { type CommandFields, type CommandReply, isChannel, type messageCommands } from '@wafleet/contract';
import { buildContent } from '../content/build-content.js';
import { inContext } from '../content/context-info.js';
import { textContent } from '../content/text.js';
import { sendToChannel } from './channel-requests/send-to-channel.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { messageContext } from './message-context.js';
import { sendFiles } from './send-files.js';

type SendFields = CommandFields<'send-message'>;

export const messageHandlers: HandlersOf<typeof messageCommands> = {
  'send-message': (session, fields) => send(session, fields),
  'send-text': (session, fields) => send(session, fields),
  'send-file-message': (session, fields) => sendFiles(session, fields),
};

/** Sends what a client has asked for. Nothing is sent before all that it needs is found. */
async function send(session: CommandContext, fields: SendFields): Promise<CommandReply<'send-message'>> {
  const { socket, recipients, messages, known, targets } = session;
  const { to, typing, messageId, text = '', content } = fields;
  messages.requireReading();
  if (isChannel(to)) return sendToChannel(session, fields);
  const jid = await recipients.find(socket, to);
  const context = { socket, chat: jid, known, targets };
  const built =
    content === undefined ? textContent({ text }) : await buildContent(content.type, content, context);
  const contextInfo = await messageContext(session, jid, fields);
  await messages.send(socket, { jid, content: inContext(built, contextInfo), messageId, typing });
  return { messageId };
}
