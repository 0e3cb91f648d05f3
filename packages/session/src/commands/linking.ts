import type { linkingCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const linkingHandlers: HandlersOf<typeof linkingCommands> = {
  'pairing-code': async ({ pairingCodes }, { phone }) => {
    const { code, expiresAt } = await pairingCodes.request(phone);
    return { code, expiresAt: new Date(expiresAt).toISOString() };
  },
};
