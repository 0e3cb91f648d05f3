import type { settingsCommands } from '@wafleet/contract';
import type { HandlersOf } from './command-context.js';

export const settingsHandlers: HandlersOf<typeof settingsCommands> = {
  'settings-changed': async ({ reloadSettings }) => {
    await reloadSettings();
    return {};
  },
};
