import type { CommandFields, CommandReply, SESSION_COMMANDS, SessionCommandKind } from '@wafleet/contract';
import type { CommandContext, HandlersOf } from './command-context.js';
import { linkingHandlers } from './linking.js';
import { mediaHandlers } from './media.js';
import { messageChangeHandlers } from './message-changes.js';
import { messageHandlers } from './messages.js';
import { passkeyHandlers } from './passkeys.js';
import { presenceHandlers } from './presence.js';
import { settingsHandlers } from './settings.js';

const HANDLERS: HandlersOf<typeof SESSION_COMMANDS> = {
  ...linkingHandlers,
  ...mediaHandlers,
  ...messageHandlers,
  ...messageChangeHandlers,
  ...passkeyHandlers,
  ...presenceHandlers,
  ...settingsHandlers,
};

export function executeInSession<K extends SessionCommandKind>(
  session: CommandContext,
  kind: K,
  fields: CommandFields<K>,
): Promise<CommandReply<K>> {
  return HANDLERS[kind](session, fields);
}
