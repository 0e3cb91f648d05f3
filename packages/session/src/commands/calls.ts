import { type callCommands, WafleetError } from '@wafleet/contract';
import { get } from '../baileys/untyped.js';
import type { HandlersOf } from './command-context.js';
import { change } from './whatsapp-requests.js';

export const callHandlers: HandlersOf<typeof callCommands> = {
  'reject-call': async ({ socket, contacts, callOffers }, { call, from }) => {
    const caller = get(await callOffers.get(call), 'from');
    if (typeof caller === 'string') {
      await change(socket.rejectCall(call, caller));
      return {};
    }
    if (from === undefined) {
      throw new WafleetError('CALL_NOT_FOUND', 'No call of this id rings, as far as the session knows.');
    }
    await change(socket.rejectCall(call, await contacts.findChat(socket, from)));
    return {};
  },
};
