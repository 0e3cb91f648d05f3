import type { messageCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const messageHandlers: HandlersOf<typeof messageCommands> = {
  // Link previews are not generated: the service would have to open URLs that a client writes.
  'send-text': async ({ socket, recipients, messages }, { to, text, messageId }) => {
    messages.requireReading();
    const jid = await recipients.find(socket, to);
    await messages.send(socket, { jid, content: { extendedTextMessage: { text } }, messageId });
    return { messageId };
  },
};
