import type { restrictionCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const restrictionHandlers: HandlersOf<typeof restrictionCommands> = {
  'get-restrictions': ({ socket, restrictions }) => restrictions.read(socket),
  'lift-pause': async ({ restrictions }) => {
    await restrictions.liftPause();
    return {};
  },
};
