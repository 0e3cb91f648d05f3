import { type presenceCommands, WafleetError } from '@wafleet/contract';
import { fromBaileys } from './baileys-errors.js';
import type { HandlersOf } from './command-context.js';

function notShown(cause: unknown): WafleetError {
  return new WafleetError('UNAVAILABLE', 'The connection to WhatsApp has closed.', undefined, { cause });
}

export const presenceHandlers: HandlersOf<typeof presenceCommands> = {
  'show-chat-state': async ({ socket, recipients }, { chat, state }) => {
    const jid = await recipients.find(socket, chat);
    await socket.sendPresenceUpdate(state, jid).catch((error: unknown) => {
      throw fromBaileys(error, { otherwise: notShown });
    });
    return {};
  },
};
